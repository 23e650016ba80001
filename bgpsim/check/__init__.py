"""Functions of two NetworkStates: compare (prediction against lab), diff (step against step), expectations."""
