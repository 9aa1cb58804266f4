"""Measurements of the hot paths; ``python -m benchmarks`` runs them all and prints the table."""
