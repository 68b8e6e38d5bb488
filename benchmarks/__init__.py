"""Benchmark programs; they write their figures to results/."""
