"""A lab that stays: the keeper holds it, commands talk to the keeper."""
