"""Measurements: `python -m bench`. Wall times are of one machine; CPU per operation travels."""
