"""The likeliest ends of words and lines, against all texts there are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.text_generation.completion.borders import Borders, is_of_word
from rnnapps.tasks.text_generation.completion.search import complete_texts
from rnnapps.tasks.text_generation.completion.writer import text_completer
from rnnapps.tasks.text_generation.tokens.characters import Characters
from rnnapps.tasks.text_generation.tokens.pieces import TextPieces

CHARACTERS = Characters("ab .\n")
LONGEST = 6


class Pairs:
    """A model whose next token depends on the last one alone."""

    def __init__(self, size: int) -> None:
        self.table = np.random.default_rng(5).normal(0, 1.5, (size, size)).astype(np.float32)

    def zero_states(self, rows: Any) -> Any:
        return [tf.zeros([rows, 1], tf.int32)]

    def read_last(self, ids: Any, lengths: Any, states: Any) -> Any:
        last = tf.gather(ids, lengths - 1, batch_dims=1)
        return tf.gather(self.table, last), [last[:, None]]

    def step(self) -> Any:
        return lambda ids, states: (tf.gather(self.table, ids), [ids[:, None]])


def probabilities(model: Any, reserved: tuple[int, ...]) -> Any:
    """Of each token after each, of those that are written at all."""
    table = model.table.astype(np.float64)
    table[:, list(reserved)] = -np.inf
    return np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)


def all_ends(prompt: str, *, line: bool) -> dict[str, float]:
    """All short completions with their probabilities, by the definition."""
    shares, texts = probabilities(Pairs(CHARACTERS.size), CHARACTERS.reserved), CHARACTERS.texts
    found = {}
    for length in range(LONGEST + 1):
        for written in itertools.product(range(1, CHARACTERS.size), repeat=length):
            text = "".join(texts[number] for number in written)
            word = text.lstrip(" ")
            whole = "\n" not in text if line else bool(word) and set(word) <= set("ab")
            mark = not line and word in (".", "\n") and bool(written)
            if not whole and not mark:
                continue
            path = [texts.index(prompt[-1]), *written]
            chance = np.prod([shares[pair] for pair in itertools.pairwise(path)])
            ends = "\n" if line else " .\n"
            found[text] = chance if mark else chance * sum(shares[path[-1], texts.index(end)] for end in ends)
    return found


@pytest.mark.parametrize("line", [False, True])
def test_the_likeliest_of_all_texts_are_found(line: bool) -> None:
    """A beam of 40 over 5 characters misses nothing that is likely."""
    prompts = ["b", " ", "a.", "ab"]
    found = text_completer(Pairs(CHARACTERS.size), CHARACTERS)(prompts, count=20, whole_line=line)  # type: ignore[arg-type]
    for prompt, own in zip(prompts, found, strict=True):
        expected = sorted(all_ends(prompt, line=line).items(), key=lambda item: -item[1])[:4]
        assert [(one.text, pytest.approx(one.probability, rel=1e-4)) for one in own[:4]] == expected


def test_each_prompt_is_completed_as_if_it_came_alone() -> None:
    complete = text_completer(Pairs(CHARACTERS.size), CHARACTERS)  # type: ignore[arg-type]
    prompts = ["b", "", "a ☃"]
    for prompt, own in zip(prompts, complete(prompts, count=3), strict=True):
        (alone,) = complete([prompt], count=3)
        assert [one.text for one in own] == [one.text for one in alone]
        assert [one.probability for one in own] == pytest.approx([one.probability for one in alone])
    mixed = complete_texts(
        Pairs(CHARACTERS.size),  # type: ignore[arg-type]
        CHARACTERS,
        tf.constant(["b", "b"]),
        tf.constant([False, True]),
        count=3,
    )
    both = complete(["b"], count=3), complete(["b"], count=3, whole_line=True)
    assert mixed[0].numpy().tolist() == [[one.text.encode() for one in own] for (own,) in both]


def test_words_go_on_from_what_the_prompt_has_of_them() -> None:
    """The first token begins with the unfinished word; where that is all it is, the word goes on or another follows."""
    letters = [piece for letter in "▁abc" for piece in (letter, f"##{letter}")]
    vocabulary = TextPieces([*letters, "▁ab", "▁abc", "▁ca", "."])
    model = Pairs(vocabulary.size)
    shares, texts = probabilities(model, vocabulary.reserved), vocabulary.texts
    (found,) = text_completer(model, vocabulary)([".. ab"], count=20)  # type: ignore[arg-type]
    begin, short, long = texts.index("."), texts.index(" ab"), texts.index(" abc")
    first = shares[begin, short] + shares[begin, long]
    goes_on = Borders.of(texts, vocabulary.reserved).goes_on
    spelled = [number for number, name in enumerate(vocabulary.names) if name in ("c", "##c")]

    def ended(number: int) -> float:
        return float(shares[number, ~goes_on].sum())

    # " abc" as one token, and as " ab" that goes on with a "c" of either kind.
    rest = sum(shares[short, one] * ended(one) for one in spelled)
    expected = (shares[begin, long] * ended(long) + shares[begin, short] * rest) / first
    by_text = {one.text: one.probability for one in found}
    assert by_text["c"] == pytest.approx(expected, rel=1e-4)
    other = texts.index(" ca")
    expected = shares[begin, short] * shares[short, other] * ended(other) / first
    assert by_text[" ca"] == pytest.approx(expected, rel=1e-4)
    assert "" not in by_text and len(by_text) == len(found)


def test_what_is_of_a_word() -> None:
    assert all(map(is_of_word, "aß9_'’é字\u0301")) and not any(map(is_of_word, ["", " ", ".", "-", "\n", "("]))
