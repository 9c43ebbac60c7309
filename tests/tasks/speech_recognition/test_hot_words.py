"""Hot words: what an automaton adds to each transcript, by its definition, and what beam search makes of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.decoding.ctc_beam import beam_search
from rnnapps.tasks.speech_recognition.decoding.hot_words import Favoured, HotWords, read_hot_words
from rnnapps.tasks.speech_recognition.decoding.symbol_ngram import SymbolNgram
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet

LETTERS = Alphabet([" ", "a", "b"])
BOOST = 0.5


def added(hot: HotWords, symbols: list[int]) -> float:
    """What all symbols and the end of a transcript add."""
    state, total = 0, 0.0
    for symbol in symbols:
        total, state = total + float(hot.gains[state, symbol]), int(hot.following[state, symbol])
    return total + float(hot.endings[state])


def hot_words(phrases: list[str], alphabet: Alphabet = LETTERS) -> HotWords:
    ids = [alphabet.encode(phrase).tolist() for phrase in phrases]
    return HotWords(ids, ids=alphabet.size, space=alphabet.space, boost=BOOST)


def whole_words(text: str, words: list[str]) -> float:
    """The boost for each symbol of words that stand in a text: the definition, of words that hold no space."""
    return BOOST * sum(len(word) for word in text.split() if word in words)


@pytest.mark.parametrize("words", [["ab"], ["a", "ab", "abba"], ["b", "bb"]])
def test_every_short_text_gets_the_boost_of_the_words_that_stand_in_it(words: list[str]) -> None:
    hot = hot_words(words)
    for length in range(7):
        for text in map("".join, itertools.product(" ab", repeat=length)):
            if "  " not in text and not text.startswith(" "):
                assert added(hot, LETTERS.encode(text).tolist()) == pytest.approx(whole_words(text, words)), text


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("a b", 3),  # the phrase
        ("a b b", 3),
        ("b a b", 3),
        ("a bb", 0),  # another word
        ("aa b", 0),
        ("a a b", 3),  # begun again within itself
        ("a b a b", 6),
        ("a", 0),
        ("a ", 0),
    ],
)
def test_phrases_of_several_words(text: str, symbols: int) -> None:
    assert added(hot_words(["a b"]), LETTERS.encode(text).tolist()) == pytest.approx(BOOST * symbols)


def test_a_word_that_begins_a_longer_phrase_keeps_its_own() -> None:
    hot = hot_words(["a", "a b a"])
    for text, symbols in (("a b a", 5), ("a b b", 1), ("a b", 1), ("a bb", 1), ("a a", 2), ("b", 0)):
        assert added(hot, LETTERS.encode(text).tolist()) == pytest.approx(BOOST * symbols), text


def test_words_as_units() -> None:
    words = Alphabet(["hi", "lo", "mid"], "words")
    hot = hot_words(["lo", "hi mid"], words)
    for text, symbols in (("lo", 1), ("hi lo", 1), ("hi mid", 2), ("hi hi mid lo", 3), ("mid hi", 0)):
        assert added(hot, words.encode(text).tolist()) == pytest.approx(BOOST * symbols), text


def test_beam_search_finds_the_best_of_all_transcripts() -> None:
    """By brute force over all alignments, with and without a language model beside."""
    random = np.random.default_rng(3)
    scores = np.log(random.dirichlet(np.ones(4), (1, 5))).astype(np.float32)
    language = SymbolNgram.fit([LETTERS.encode("a b"), LETTERS.encode("bb a")], ids=4, order=2)
    hot = hot_words(["ab", "b a"])
    for model, weight in ((None, 0.0), (language, 0.7)):
        sums: dict[tuple[int, ...], float] = {}
        for path in itertools.product(range(4), repeat=5):
            text = tuple(key for key, _ in itertools.groupby(path) if key)
            sums[text] = sums.get(text, 0.0) + float(np.exp(scores[0, range(5), list(path)].sum()))
        wanted = {text: np.log(total) + added(hot, list(text)) for text, total in sums.items()}
        if model is not None:
            for text in wanted:
                contexts = [0, *text]
                wanted[text] += weight * sum(model.table[a, b] for a, b in itertools.pairwise(contexts))
        found, counts, best = beam_search(
            tf.constant(scores), tf.constant([5]), width=400, language_model=Favoured(hot, model, weight), weight=1.0
        )
        order = sorted(wanted, key=lambda text: -wanted[text])
        for place in range(5):
            assert tuple(found[0, place, : int(counts[0, place])].numpy().tolist()) == order[place]
            assert float(best[0, place]) == pytest.approx(wanted[order[place]], abs=1e-4)


def test_a_file_of_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeffAB\n\n a,  b!\n", encoding="utf-8")
    hot = read_hot_words(str(path), LETTERS, boost=BOOST)
    assert added(hot, LETTERS.encode("ab").tolist()) == BOOST * 2
    assert added(hot, LETTERS.encode("a b").tolist()) == BOOST * 3
    for content, said in (
        (b"\n", "holds no word; write one a line"),
        (b"ab\nac\n", "line 2: 'ac' holds 'c', which the model cannot write"),
        (b"\xff", "utf-8"),
        (b"ab\n" * 300_000, "too many for a table"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=said) as raised:
            read_hot_words(str(path), LETTERS, boost=BOOST)
        assert "\n" not in str(raised.value)
    with pytest.raises(ConfigError, match="does not exist"):
        read_hot_words(str(tmp_path / "none"), LETTERS, boost=BOOST)
    with pytest.raises(ConfigError, match=r"decoding\.hot_words need a decoding\.beam_width of at least 2"):
        DecodingConfig(hot_words=str(path))
