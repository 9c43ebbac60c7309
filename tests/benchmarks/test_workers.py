"""What a step of several workers costs on paper."""

from __future__ import annotations

import pytest

from benchmarks.workers import predicted_milliseconds, wire_bytes


def test_a_ring_sends_each_share_twice() -> None:
    """Of a vector of N shares each worker sends N - 1 while adding up, and N - 1 while handing the sums on."""
    assert wire_bytes(9, 1) == 0
    assert wire_bytes(9, 2) == 48  # two shares of 6 numbers: one each way, then its sum
    assert wire_bytes(9, 4) == 72  # four shares of 3 numbers: three of them, twice


def test_a_line_adds_its_time_to_that_of_the_loopback() -> None:
    """A million bytes take 8 ms at a gigabit a second."""
    found = predicted_milliseconds(20.0, 1.5, parameters=249_997, bits_per_second=1e9)
    assert found == pytest.approx(20.0 + 1.5 + 8.0)
