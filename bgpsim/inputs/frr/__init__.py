"""FRR's configuration statements: the lines of `vtysh -c`, read into a BGP instance."""
