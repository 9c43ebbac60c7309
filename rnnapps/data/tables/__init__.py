"""Tables in files that are no CSV: one reader a format, found by suffix and first bytes."""

from __future__ import annotations
