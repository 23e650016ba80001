"""Random networks, predicted and run on real routers, compared: the generator, the lab of many, the campaign."""
