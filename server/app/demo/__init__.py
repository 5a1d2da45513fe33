"""The demo market: people, things and talk that were never real."""
