"""A scenario from its file to its report: read (`reading`), then predicted and played step by step (`playing`)."""
