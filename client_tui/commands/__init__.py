"""The command line: one module a noun. Nothing here imports Textual.

Modules import what they need inside functions, so that each command starts with no more than
it uses.
"""
