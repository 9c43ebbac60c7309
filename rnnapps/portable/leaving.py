"""The signatures that leave TensorFlow: arrays in, arrays out."""

from __future__ import annotations

__all__ = ["SIGNATURES", "STEP"]

STEP = "step"
SIGNATURES = ("tensors", STEP)
