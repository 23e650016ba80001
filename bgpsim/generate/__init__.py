"""Labs to start from: the shipped one, and fabrics drawn by rule. Text out; nothing here reads or runs a lab."""
