"""The problems ask what they say: answers by other means, on random rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnapps.certificates.probes import PROBES, Probe
from rnnapps.certificates.problems import KEYS


def drawn(name: str, rows: int = 20, steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    return PROBES[name].draw(np.random.default_rng(1), rows, steps or PROBES[name].steps)


def test_adding_marks_one_number_in_each_half() -> None:
    inputs, sums = drawn("adding_100")
    for row, total in zip(inputs, sums, strict=True):
        first, second = np.flatnonzero(row[:, 1])
        assert first < 50 <= second
        assert total == pytest.approx(row[first, 0] + row[second, 0], abs=1e-6)


@pytest.mark.parametrize("name", ["copying", "selective_copying"])
def test_copying_asks_for_the_symbols_in_their_order(name: str) -> None:
    inputs, targets = drawn(name)
    for tokens, asked in zip(inputs.argmax(axis=-1), targets, strict=True):
        assert asked[-4:].tolist() == [token for token in tokens if token < 4]
        assert (asked[:-4] == -1).all()
        assert (tokens[-4:] == 5).all()
    starts = {tuple(np.flatnonzero(row < 4)) for row in inputs.argmax(axis=-1)}
    assert (len(starts) == 1) == (name == "copying")


def test_parity_counts_ones() -> None:
    inputs, targets = drawn("parity", steps=7)
    for bits, answers in zip(inputs.argmax(axis=-1).tolist(), targets, strict=True):
        assert answers.tolist() == [sum(bits[: step + 1]) % 2 for step in range(7)]


def test_permutations_move_three_things() -> None:
    inputs, targets = drawn("permutations", steps=9)
    orders = list(itertools.permutations("abc"))
    for moves, answers in zip(inputs.argmax(axis=-1), targets, strict=True):
        things = ["a", "b", "c"]
        for move, answer in zip(moves, answers, strict=True):
            things = [things["abc".index(place)] for place in orders[move]]
            assert tuple(things) == orders[answer]


def test_recall_asks_for_each_key_once() -> None:
    inputs, targets = drawn("recall")
    for row, answers in zip(inputs, targets, strict=True):
        keys, values = row[:, :KEYS].argmax(axis=-1), row[:, KEYS:]
        told = dict(zip(keys[:12].tolist(), values[:12].argmax(axis=-1).tolist(), strict=True))
        assert len(told) == 12
        assert [told[key] for key in keys[12:].tolist()] == answers[12:].tolist()
        assert not values[12:].any()


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_no_guess_holds(probe: Probe) -> None:
    """The best answer without looking scores near 0, and that many lucky guesses do not happen."""
    _, targets = probe.draw(np.random.default_rng(2), 256, probe.tested)
    if probe.is_number:
        assert probe.score(float(np.mean((targets - 1) ** 2))) < 0.1
    else:
        asked = targets[:, probe.scored_from :]
        counts = np.bincount(asked[asked >= 0], minlength=probe.outputs)
        assert probe.score(counts.max() / counts.sum()) < 0.1
        share = probe.holds * (1 - 1 / probe.outputs) + 1 / probe.outputs
        deviation = np.sqrt(share * (1 - share) / counts.sum())
        assert (share - 1 / probe.outputs) / deviation > 10
    assert probe.score(0.0 if probe.is_number else 1.0) == 1.0
