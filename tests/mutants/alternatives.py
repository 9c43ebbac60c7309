"""Regular expressions without one of their alternatives."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["without_one"]


def without_one(pattern: str) -> Iterator[str]:
    """`a(b|c)|d` without each of its alternatives: `d`, `a(b|c)`, `a(c)|d`, `a(b)|d`. Nothing for other texts."""
    if " " in pattern:
        return
    for start, end in _groups(pattern):
        parts = list(_split(pattern[start:end]))
        if len(parts) > 1:
            for place in range(len(parts)):
                yield pattern[:start] + "|".join(parts[:place] + parts[place + 1 :]) + pattern[end:]


def _groups(pattern: str) -> Iterator[tuple[int, int]]:
    """Where the whole and each bracketed part begin and end."""
    yield 0, len(pattern)
    opened: list[int] = []
    for place, character in enumerate(pattern):
        if character == "(":
            opened.append(place + 1)
        elif character == ")" and opened:
            yield opened.pop(), place


def _split(pattern: str) -> Iterator[str]:
    """Cuts at the bars outside of brackets."""
    depth, start = 0, 0
    for place, character in enumerate(pattern):
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            yield pattern[start:place]
            start = place + 1
    yield pattern[start:]
