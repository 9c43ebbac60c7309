"""What a cell can do, tried: it remembers, counts, tracks, recalls and extrapolates, or it does not."""
