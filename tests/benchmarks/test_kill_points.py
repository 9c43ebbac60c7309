"""Where processes are killed: at all places that a command writes to, from the first write to the last."""

from __future__ import annotations

from collections import Counter

from benchmarks.kill_points import kill_moments


def test_kills_are_dealt_to_places_in_turn_and_reach_their_first_and_last_write() -> None:
    moments = kill_moments(Counter({"run": 60, "states": 9, "report": 1}), 8)
    assert moments == [
        ("states", 1),
        ("states", 4),
        ("states", 6),
        ("states", 9),
        ("report", 1),
        ("run", 1),
        ("run", 30),
        ("run", 60),
    ]


def test_there_are_no_more_kills_than_writes() -> None:
    assert kill_moments(Counter({"export": 2, "cache": 1}), 20) == [("cache", 1), ("export", 1), ("export", 2)]
