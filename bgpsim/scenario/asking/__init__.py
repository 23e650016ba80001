"""What `bgpsim diff` and `bgpsim explain` are asked, as typed -> the states and things that are meant."""
