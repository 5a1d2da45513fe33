"""The wire: every shape that client and server say to each other. No I/O."""
