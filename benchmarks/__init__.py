"""How long bgpsim takes, beside the least that the same work takes in the same run: `make bench`."""
