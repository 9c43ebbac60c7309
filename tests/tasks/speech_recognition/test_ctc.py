"""Everything that is computed over alignments, beside sums and maxima over all alignments there are."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.speech_recognition.decoding.ctc import compact, greedy_symbols, required_outputs
from rnnapps.tasks.speech_recognition.decoding.ctc_alignment import align, log_probability
from rnnapps.tasks.speech_recognition.decoding.ctc_beam import beam_search
from rnnapps.tasks.speech_recognition.decoding.symbol_ngram import SymbolNgram

IDS, LENGTHS = 3, (5, 3, 0, 4)


def spoken(path: tuple[int, ...]) -> tuple[int, ...]:
    """The symbols that a path of outputs stands for."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


@cache
def scores() -> Any:
    """Log-probabilities `(4, 5, 3)`."""
    logits = np.random.default_rng(0).normal(size=(len(LENGTHS), max(LENGTHS), IDS)) * 1.5
    return (logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))).astype(np.float32)


def every_transcript(row: int) -> dict[tuple[int, ...], tuple[float, float, tuple[int, ...]]]:
    """Transcript -> (log-probability, that of its likeliest path, the path)."""
    found: dict[tuple[int, ...], tuple[float, float, tuple[int, ...]]] = {}
    for path in itertools.product(range(IDS), repeat=LENGTHS[row]):
        score = float(sum(scores()[row, time, symbol] for time, symbol in enumerate(path)))
        total, best, kept = found.get(spoken(path), (-np.inf, -np.inf, ()))
        likelier = (score, path) if score > best else (best, kept)
        found[spoken(path)] = (float(np.logaddexp(total, score)), *likelier)
    return found


def rows_of(transcripts: list[tuple[int, ...]]) -> tuple[Any, Any]:
    counts = [len(each) for each in transcripts]
    symbols = np.zeros((len(transcripts), max(max(counts), 1)), np.int32)
    for row, each in zip(symbols, transcripts, strict=True):
        row[: len(each)] = each
    return tf.constant(symbols), tf.constant(counts, tf.int32)


def test_greedy_is_the_likeliest_path() -> None:
    symbols, counts, last = greedy_symbols(tf.constant(scores()), tf.constant(LENGTHS))
    for row, length in enumerate(LENGTHS):
        path = tuple(scores()[row, :length].argmax(axis=1).tolist())
        assert tuple(symbols[row, : int(counts[row])].numpy()) == spoken(path)
        assert int(last[row]) == (path[-1] if path else 0)
        assert not symbols[row, int(counts[row]) :].numpy().any()


def test_greedy_in_pieces_is_greedy_at_once() -> None:
    logits = np.random.default_rng(1).normal(size=(1, 40, 3)).astype(np.float32)
    whole, _, _ = greedy_symbols(tf.constant(logits), tf.constant([40]))
    pieces: list[int] = []
    last = None
    for first in range(0, 40, 7):
        part = logits[:, first : first + 7]
        symbols, counts, last = greedy_symbols(tf.constant(part), tf.constant([part.shape[1]]), last)
        pieces += symbols[0, : int(counts[0])].numpy().tolist()
    assert pieces == whole[0].numpy().tolist()


def test_compact() -> None:
    values, counts = compact(tf.constant([[5, 6, 7], [8, 9, 1]]), tf.constant([[True, False, True], [False] * 3]))
    assert values.numpy().tolist() == [[5, 7], [0, 0]] and counts.numpy().tolist() == [2, 0]


def test_required_outputs() -> None:
    assert [required_outputs(np.array(each)) for each in ([], [1], [1, 2], [1, 1], [1, 1, 2, 2])] == [0, 1, 2, 3, 6]


@pytest.mark.parametrize("row", range(len(LENGTHS)))
def test_probabilities_and_alignments_are_those_of_all_paths(row: int) -> None:
    everything = every_transcript(row)
    transcripts = list(everything)
    symbols, counts = rows_of(transcripts)
    table = tf.constant(np.repeat(scores()[row : row + 1], len(transcripts), axis=0))
    lengths = tf.fill([len(transcripts)], LENGTHS[row])
    found = log_probability(table, lengths, symbols, counts).numpy()
    np.testing.assert_allclose(found, [everything[each][0] for each in transcripts], atol=1e-5)
    firsts, lasts = align(table, lengths, symbols, counts)
    for number, transcript in enumerate(transcripts):
        runs, place = [], 0
        for symbol, run in itertools.groupby(everything[transcript][2]):
            size = len(list(run))
            runs += [(place, place + size)] if symbol else []
            place += size
        pairs = list(zip(firsts[number].numpy().tolist(), lasts[number].numpy().tolist(), strict=True))
        assert pairs[: len(transcript)] == runs and not any(map(any, pairs[len(transcript) :]))


def test_a_transcript_that_does_not_fit_is_impossible() -> None:
    symbols, counts = rows_of([(1, 1, 2)])
    assert log_probability(tf.constant(scores()[:1]), tf.constant([3]), symbols, counts).numpy()[0] <= -1e29


def best_of(search: Callable[..., Any], row: int, count: int) -> list[tuple[tuple[int, ...], float]]:
    symbols, counts, found = search
    return [
        (tuple(symbols[row, place, : int(counts[row, place])].numpy().tolist()), float(found[row, place]))
        for place in range(count)
    ]


def test_a_wide_beam_finds_every_transcript_in_order() -> None:
    search = beam_search(tf.constant(scores()), tf.constant(LENGTHS), width=64)
    for row in range(len(LENGTHS)):
        expected = sorted(((each, values[0]) for each, values in every_transcript(row).items()), key=lambda e: -e[1])
        found = best_of(search, row, len(expected))
        assert [each for each, _ in found] == [each for each, _ in expected]
        np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-5)


def test_a_language_model_counts_as_documented() -> None:
    model = SymbolNgram.fit([np.array([1, 2]), np.array([1, 2, 1]), np.array([2])], ids=IDS, order=2)
    weight, bonus = 0.7, 0.3
    search = beam_search(
        tf.constant(scores()), tf.constant(LENGTHS), width=64, language_model=model, weight=weight, bonus=bonus
    )

    def total(transcript: tuple[int, ...], row: int) -> float:
        language = sum(float(model.table[before, now]) for before, now in itertools.pairwise((0, *transcript)))
        return every_transcript(row)[transcript][0] + weight * language + bonus * len(transcript)

    for row in range(len(LENGTHS)):
        expected = sorted(((each, total(each, row)) for each in every_transcript(row)), key=lambda e: -e[1])
        found = best_of(search, row, len(expected))
        assert [each for each, _ in found] == [each for each, _ in expected]
        np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-4)


def test_a_narrow_beam_of_a_row_does_not_depend_on_the_batch() -> None:
    logits = np.random.default_rng(2).normal(size=(3, 20, 6)).astype(np.float32)
    table, lengths = tf.nn.log_softmax(logits), (20, 7, 13)
    symbols, counts, found = beam_search(table, tf.constant(lengths), width=4)
    for row, length in enumerate(lengths):
        one, number, score = beam_search(table[row : row + 1, :length], tf.constant([length]), width=4)
        assert number[0].numpy().tolist() == counts[row].numpy().tolist()
        assert one[0, 0].numpy().tolist()[: int(number[0, 0])] == symbols[row, 0].numpy().tolist()[: int(number[0, 0])]
        np.testing.assert_allclose(score[0], found[row], atol=1e-4)
