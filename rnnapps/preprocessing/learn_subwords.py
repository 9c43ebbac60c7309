"""Subwords learned from counted words by the library `tokenizers`, which models run without."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import tensorflow as tf

from rnnapps.preprocessing.longest_pieces import CONTINUED
from rnnapps.preprocessing.merged_pieces import Merge
from rnnapps.preprocessing.normalize_text import SIGN
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import single_words

if TYPE_CHECKING:
    from tokenizers import Tokenizer, models, trainers

__all__ = [
    "beginning_and_inside",
    "characters_of",
    "ids_of_words",
    "learn_merges",
    "learn_wordpieces",
    "most_common",
]

VocabularyT = TypeVar("VocabularyT", bound=PieceVocabulary)

CHUNK = 2048
FEWEST = 2
"""How often a pair must occur to be merged."""
SYMBOLS = 0x10000
"""The character that stands for id 0 while merges are learned; behind it are no surrogates and no white space."""


def most_common(counts: Counter[str], most: int | None = None) -> list[str]:
    """The most frequent entries, by falling count and then in the order of their characters."""
    ordered = sorted(counts, key=lambda entry: (-counts[entry], entry))
    return ordered if most is None else ordered[: max(most, 0)]


def characters_of(words: Counter[str]) -> Counter[str]:
    """How often each character occurs in words that were counted."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    return counts


def beginning_and_inside(characters: Sequence[str]) -> list[str]:
    """Word pieces of single characters: each as the beginning and as the continuation of a word."""
    pieces = ([c] if c == chr(SIGN) else [c, CONTINUED + c] for c in characters)
    return [piece for both in pieces for piece in both]


def ids_of_words(vocabulary: PieceVocabulary, words: Sequence[str]) -> list[list[int]]:
    """Ids of the pieces of words, each as `split_words` leaves it."""
    rows: list[list[int]] = []
    for start in range(0, len(words), CHUNK):
        chunk = list(words[start : start + CHUNK])
        pieces = vocabulary.cut_words(single_words(tf.constant(chunk)))
        rows += tf.RaggedTensor.from_value_rowids(pieces.ids, pieces.rows, nrows=len(chunk)).to_list()
    return rows


def learn_merges(vocabulary: VocabularyT, words: Counter[str], most: int) -> VocabularyT:
    """Adds merges of the most frequent pairs of neighbouring pieces to a vocabulary of byte-pair encoding.

    Args:
        vocabulary: what words are cut into now.
        words: how often each word occurs.
        most: the most pieces to add.
    """
    from tokenizers import models, trainers

    # The library merges characters: each present piece becomes one, and an unknown one a border.
    symbols: Counter[str] = Counter()
    for word, ids in zip(words, ids_of_words(vocabulary, list(words)), strict=True):
        symbols["".join(" " if number == UNKNOWN else chr(SYMBOLS + number) for number in ids)] += words[word]
    known = len(characters_of(symbols).keys() - {" "})
    trainer = trainers.BpeTrainer(vocab_size=known + max(most, 0), min_frequency=FEWEST, show_progress=False)
    learned = json.loads(_trained(models.BPE(), trainer, symbols).to_str())["model"]["merges"]

    def text(symbols: str) -> str:
        """The characters of the pieces that symbols stand for."""
        return "".join(vocabulary.pieces[ord(symbol) - SYMBOLS - len(SPECIAL)] for symbol in symbols)

    merges = [(text(left), text(right)) for left, right in learned]
    return _with_merges(vocabulary, merges, most)


def _with_merges(vocabulary: VocabularyT, merges: Sequence[Merge], most: int) -> VocabularyT:
    """Adds merges that are new, until there are enough new pieces."""
    pieces, added = dict.fromkeys(vocabulary.pieces), dict.fromkeys(vocabulary.merges or [])
    for merge in merges:
        if "".join(merge) not in pieces and len(pieces) - len(vocabulary.pieces) >= most:
            break
        pieces["".join(merge)] = added[merge] = None
    return vocabulary.extended(list(pieces)[len(vocabulary.pieces) :], list(added)[len(vocabulary.merges or []) :])


def learn_wordpieces(words: Counter[str], characters: Sequence[str], room: int) -> list[str]:
    """The pieces of single characters, and behind them what becomes of merging frequent pairs, `room` in all."""
    from tokenizers import models, trainers

    pieces = beginning_and_inside(characters)
    alphabet = sorted(beginning_and_inside(list(characters_of(words))))
    count = max(room - len(pieces), 0)
    trainer = trainers.WordPieceTrainer(
        vocab_size=count + len(alphabet) + 1,
        show_progress=False,
        # In a fixed order: the library would number them differently in every process, and its ties fall by number.
        special_tokens=[SPECIAL[UNKNOWN], *alphabet],
        continuing_subword_prefix=CONTINUED,
    )
    tokenizer = _trained(models.WordPiece(unk_token=SPECIAL[UNKNOWN]), trainer, words)
    known = {SPECIAL[UNKNOWN], *alphabet}
    learned = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [*pieces, *[piece for piece, _ in learned if piece not in known][:count]]


def _trained(model: models.Model, trainer: trainers.Trainer, words: Counter[str]) -> Tokenizer:
    """The model after training on symbols, each as often as it is counted."""
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(_lines(words), trainer)
    return tokenizer


def _lines(words: Counter[str]) -> Iterator[str]:
    """Texts in which every word occurs as often as it was counted, the same at every call."""
    for word in sorted(words):
        for start in range(0, words[word], CHUNK):
            yield " ".join([word] * min(CHUNK, words[word] - start))
