"""Streams that are cut in two, and go on from their state."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

__all__ = ["from_standard_input", "in_parts", "interrupted"]


def in_parts(model: Any, parts: Sequence[Any], state: Path, **options: Any) -> list[Any]:
    """The pieces of streams of one input after another, each going on where the last one ended."""
    return [piece for part in parts for piece in model.stream(part, state=state, **options)]


def interrupted(model: Any, given: Any, state: Path, *, after: int, **options: Any) -> list[Any]:
    """The pieces of a stream that nobody takes any more after some of them, and of one that goes on."""
    with contextlib.closing(model.stream(given, state=state, **options)) as pieces:
        first = list(itertools.islice(pieces, after))
    return first + list(model.stream(given, state=state, **options))


def from_standard_input(model: Any, parts: Sequence[bytes], state: Path | None, **options: Any) -> list[Any]:
    """The pieces of streams of standard input, which is another part of it each time."""
    found = []
    for part in parts:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(part)))
            found += list(model.stream(state=state, **options))
    return found
