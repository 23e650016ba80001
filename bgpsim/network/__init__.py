"""The two descriptions everything shares: `Network` (what is set up) and `NetworkState` (what it does)."""
