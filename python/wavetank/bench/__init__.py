"""Benchmarks of others, run on wavetank."""
