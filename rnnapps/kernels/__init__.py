"""Numerics over whole sequences: fused backpropagation through time, linear scans, and their naive twins."""
