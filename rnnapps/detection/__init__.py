"""Detectors: a network's errors become scores, and scores become flags."""
