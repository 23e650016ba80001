"""What is told of a run: report.json (the promise), the terminal, Markdown."""
