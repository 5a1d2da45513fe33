"""The market's server."""
