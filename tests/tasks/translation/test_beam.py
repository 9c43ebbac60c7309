"""Beam search against enumeration of all sequences, and against a beam search of Python loops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.translation.beam import Hypotheses, beam_search, length_norm
from rnnapps.tasks.translation.beam_rules import DIGITS, WORD, Copying, Repeats, Rules

START, END, BARRED = 1, 2, 0
Scorer = Callable[[int, int, int], Any]


def chain(ids: int, rows: int, steps: int, seed: int) -> tuple[Any, Any, Scorer]:
    """A step function whose logits depend on the last id, the row and the time; its states; its log probabilities."""
    draw = np.random.default_rng(seed)
    of_id, of_row, of_time = (draw.normal(size=(n, ids)).astype(np.float32) * 2 for n in (ids, rows, steps + 1))

    def step(last: Any, states: Any) -> Any:
        time, row = states["time"], states["row"]
        return tf.gather(of_id, last) + tf.gather(of_row, row) + tf.gather(of_time, time), {
            "time": time + 1,
            "row": row,
        }

    def scores(row: int, last: int, time: int) -> Any:
        logits = (of_id[last] + of_row[row] + of_time[time]).astype(np.float64)
        return logits - np.log(np.exp(logits).sum())

    return step, {"time": tf.zeros(rows, tf.int32), "row": tf.range(rows)}, scores


def found(result: Hypotheses, row: int) -> list[tuple[float, tuple[int, ...]]]:
    parts = zip(result.scores[row], result.ids[row], result.lengths[row], strict=True)
    return [(float(s), tuple(ids.numpy()[:length])) for s, ids, length in parts if s > -1e29]


def enumerated(scores: Scorer, row: int, ids: int, limit: int, penalty: float) -> list[tuple[float, tuple[int, ...]]]:
    results = []
    others = [number for number in range(ids) if number not in (END, BARRED)]
    for length in range(limit):
        for sequence in itertools.product(others, repeat=length):
            last, total = START, 0.0
            for time, number in enumerate((*sequence, END)):
                total += scores(row, last, time)[number]
                last = number
            results.append((total / ((5 + length + 1) / 6) ** penalty, sequence))
    return sorted(results, reverse=True)


def looped(scores: Scorer, row: int, ids: int, limit: int, penalty: float, beams: int, wanted: int) -> Any:
    """The same search with lists."""
    alive: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    results: list[tuple[float, tuple[int, ...]]] = []
    for time in range(limit):
        candidates = []
        for total, sequence in alive:
            values = scores(row, sequence[-1] if sequence else START, time)
            for number in range(ids):
                if number != BARRED and (time + 1 < limit or number == END):
                    candidates.append((total + values[number], (*sequence, number)))
        candidates.sort(reverse=True)
        norm = ((5 + time + 1) / 6) ** penalty
        results += [(total / norm, s[:-1]) for total, s in candidates[:beams] if s[-1] == END]
        results = sorted(results, reverse=True)[:beams]
        alive = [(total, s) for total, s in candidates if s[-1] != END][:beams]
        best = alive[0][0] if alive else -np.inf
        worst = results[wanted - 1][0] if len(results) >= wanted else -np.inf
        if worst > -np.inf and worst >= best / ((5 + limit) / 6) ** penalty:
            break
        if len(results) == beams and worst >= best / norm:
            break
    return results[:wanted]


def same(a: Any, b: Any) -> None:
    assert [sequence for _, sequence in a] == [sequence for _, sequence in b]
    np.testing.assert_allclose([score for score, _ in a], [score for score, _ in b], atol=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_wide_beams_find_the_best_of_all_sequences(seed: int, penalty: float) -> None:
    limits = [4, 1, 3]
    step, states, scores = chain(4, 3, 4, seed)
    result = beam_search(
        step, states, start_id=START, end_id=END, limits=limits, beams=60, n_best=5, length_penalty=penalty, never=[0]
    )
    for row, limit in enumerate(limits):
        same(found(result, row), enumerated(scores, row, 4, limit, penalty)[:5])


@pytest.mark.parametrize(("beams", "wanted"), [(1, 1), (2, 2), (3, 1), (5, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_narrow_beams_search_as_python_loops_do(seed: int, beams: int, wanted: int) -> None:
    limits, penalties = [9, 5, 7, 1], [0.0, 0.6, 1.0, 2.0]
    step, states, scores = chain(6, 4, 9, seed + 10)

    @tf.function(autograph=False)
    def search(width: int | None) -> Hypotheses:
        return beam_search(
            step,
            states,
            start_id=START,
            end_id=END,
            limits=limits,
            beams=beams,
            n_best=wanted,
            length_penalty=penalties,
            never=[BARRED],
            width=width,
        )

    result = search(None)
    for row, (limit, penalty) in enumerate(zip(limits, penalties, strict=True)):
        same(found(result, row), looped(scores, row, 6, limit, penalty, beams, wanted))
    if seed == 0 and beams < 3:  # of a graph without loops, which looks beyond the longest limit
        written_out = search(11)
        assert written_out.ids.shape[2] == 11
        for row in range(len(limits)):
            same(found(written_out, row), found(result, row))


def test_one_beam_takes_the_likeliest_id_until_it_ends() -> None:
    step, states, scores = chain(7, 2, 20, 5)
    result = beam_search(step, states, start_id=START, end_id=END, limits=[20, 20], beams=1)
    for row in range(2):
        last, expected = START, []
        while (last := int(scores(row, last, len(expected)).argmax())) != END and len(expected) < 19:
            expected.append(last)
        assert found(result, row)[0][1] == tuple(expected)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_unlikely_early_ends_do_not_stop_the_search(penalty: float) -> None:
    """The model is sure of 3, 4, 3, 4... ended after nine ids; an end before that has log probability -7."""

    def step(last: Any, now: Any) -> Any:
        sure = tf.where(now >= 9, END, tf.where(tf.equal(now % 2, 0), 3, 4))
        return 10.0 * tf.one_hot(sure, 6) + 3.0 * tf.one_hot(END, 6), now + 1

    result = beam_search(
        step,
        tf.zeros([2], tf.int32),
        start_id=START,
        end_id=END,
        limits=[30, 30],
        beams=3,
        n_best=2,
        length_penalty=penalty,
    )
    for row in range(2):
        assert found(result, row)[0][1] == (3, 4, 3, 4, 3, 4, 3, 4, 3)


def test_a_row_does_not_depend_on_its_batch() -> None:
    step, states, _ = chain(9, 6, 12, 3)
    limits = np.array([12, 3, 8, 1, 12, 5], np.int32)

    def search(rows: Any) -> Hypotheses:
        own = {name: tf.gather(state, rows) for name, state in states.items()}
        return beam_search(
            step, own, start_id=START, end_id=END, limits=limits[rows], beams=3, n_best=3, length_penalty=0.8
        )

    together = search(np.arange(6))
    for row in range(6):
        same(found(search(np.array([row])), 0), found(together, row))


def test_scores_are_log_probabilities_over_the_norm() -> None:
    step, states, scores = chain(5, 1, 6, 8)
    result = beam_search(step, states, start_id=START, end_id=END, limits=[6], beams=4, n_best=2, length_penalty=1.2)
    for place, (score, sequence) in enumerate(found(result, 0)):
        last, total = START, 0.0
        for time, number in enumerate((*sequence, END)):
            total += scores(0, last, time)[number]
            last = number
        assert float(result.log_probabilities[0, place]) == pytest.approx(total, abs=1e-4)
        assert score == pytest.approx(total / float(length_norm(len(sequence) + 1, 1.2)), abs=1e-4)


def test_ids_behind_a_sequence_are_zero() -> None:
    step, states, _ = chain(5, 2, 6, 1)
    result = beam_search(step, states, start_id=START, end_id=END, limits=[6, 2], beams=2)
    behind = ~tf.sequence_mask(result.lengths, 6)
    assert result.ids.shape == (2, 1, 6) and int(result.lengths[1, 0]) <= 1
    assert not np.any(result.ids.numpy()[behind.numpy()])


def ruled(step: Any, states: Any, rules: Rules, *, beams: int, steps: int = 12) -> Hypotheses:
    """A search of two rows under rules, which prefers long sequences."""
    limits = tf.fill([2], steps)
    shape = {"start_id": START, "end_id": END, "limits": limits, "beams": beams, "n_best": beams}
    return beam_search(step, states, **shape, length_penalty=2.0, rules=rules)


@pytest.mark.parametrize(("beams", "length"), [(1, 2), (3, 3)])
def test_nothing_is_written_twice_but_numbers(beams: int, length: int) -> None:
    """The network writes 5, 6, 7, 5, 6, 7... and hardly ever ends."""

    def step(last: Any, states: Any) -> Any:
        following = tf.gather(tf.constant([5, 5, 5, 5, 5, 6, 7, 5, 5]), last)
        return tf.one_hot(following, 9) * 20.0 - 40.0 * tf.one_hot(END, 9), states

    def repeated(*kinds: int, of: int = 0) -> int:
        rules = Rules(Repeats(length, tf.constant(kinds)) if kinds else None)
        result = ruled(step, tf.zeros(2), rules, beams=beams)
        rows = [sequence for row in (0, 1) for _, sequence in found(result, row)]
        assert max(map(len, rows)) > 6
        grams = [[row[i : i + length] for i in range(len(row) - length + 1)] for row in rows]
        kept = [[gram for gram in own if not of or of in gram] for own in grams]
        return sum(len(own) - len(set(own)) for own in kept)

    assert repeated() > 0
    assert repeated(*[WORD] * 9) == 0
    assert repeated(*[0] * 9) == 0, "marks without digits do not repeat themselves either"
    assert repeated(*[DIGITS] * 9) > 0
    assert repeated(*[DIGITS] * 7, WORD, WORD, of=7) == 0, "7 is a word, and what holds it is no number"


@pytest.mark.parametrize("beams", [1, 4])
def test_symbols_are_written_once_and_only_where_they_are(beams: int) -> None:
    wanted = np.array([[True, True, False], [False, False, True]])
    copying = Copying(5, tf.constant(wanted))
    step, states, _ = chain(9, 2, 12, seed=3)

    def eager(last: Any, states: Any) -> Any:
        logits, states = step(last, states)
        return logits + tf.constant([0, 0, -3, 0, 0, 4, 4, 4, 0.0]), states

    free, result = (ruled(eager, states, rules, beams=beams) for rules in (Rules(), Rules(copying=copying)))
    assert all(len(own) > len(set(own)) for row in (0, 1) for _, own in found(free, row)), "they would be repeated"
    for row, symbols in ((0, {5, 6}), (1, {7})):
        for place, (score, sequence) in enumerate(found(result, row)):
            written = [number for number in sequence if number in (5, 6, 7)]
            assert len(written) == len(set(written)) and set(written) <= symbols
            nats = float(result.log_probabilities[row, place]) - 10 * len(symbols - set(written))
            assert score == pytest.approx(nats / ((5 + len(sequence) + 1) / 6) ** 2, abs=1e-4)
            missing = copying.missing(result.ids)[row, place].numpy()
            assert {5 + number for number in np.flatnonzero(missing)} == symbols - set(written)
