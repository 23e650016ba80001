"""`bgpsim watch`: a running lab on a screen (textual), fed by the keeper's events."""
