"""Fixtures: networks written as drawings, and the seed's lab built by hand."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
