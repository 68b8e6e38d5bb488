"""Programs that measure: each writes benchmarks/results/NAME.json."""
