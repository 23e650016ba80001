"""The timeline: a scenario file read, checked against everything it names, and run step by step."""
