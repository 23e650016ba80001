"""A scenario file -> `Scenario`: read, and checked against everything that it names, before anything starts."""
