"""Speed and quality measurements; `python -m benchmarks` runs them all, each module runs alone with `--help`."""
