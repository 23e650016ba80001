"""A scenario predicted, and played on a lab: step by step, with the report as it grows."""
