"""Every SQL statement of trades, one file for each kind of row."""
