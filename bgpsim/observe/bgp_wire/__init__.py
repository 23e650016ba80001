"""BGP as it was on the wire: what the agent captured, decoded by scapy, as facts of the wire plane."""
