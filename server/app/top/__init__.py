"""``picky-server top``: what servers do, read from their metrics and shown in a terminal."""
