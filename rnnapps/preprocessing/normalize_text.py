"""One spelling for text that looks the same, inside the graph: compatibility characters, case, and white space."""

from __future__ import annotations

import functools
import sys
import unicodedata

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = ["code_points", "normalize", "to_strings"]

SPACE = 0x20
SIGN = 0x2581
"""The sign that tokenizers write for a space; in text it becomes an underscore."""
_INVISIBLE = {0xAD, 0x200B, 0xFEFF}
_PAIR_SHIFT = 21


def normalize(strings: Tensor, *, lowercase: bool = False) -> Tensor:
    """Maps strings `(batch,)` (UTF-8) to normalised strings; see `code_points`."""
    return to_strings(code_points(strings, lowercase=lowercase))


def to_strings(points: tf.RaggedTensor) -> Tensor:
    """Maps code points `(batch, characters)` to strings `(batch,)` (UTF-8)."""
    return tf.strings.unicode_encode(points, "UTF-8")


def code_points(strings: Tensor, *, lowercase: bool = False) -> tf.RaggedTensor:
    """The normalised characters of strings, in graph, with TensorFlow core ops only.

    Every character is replaced by its compatibility form (NFKC, Unicode Standard Annex 15), and then neighbours that
    one character stands for are composed, until there are none: the NFKC of the text, but that marks written in an
    unusual order stay in that order. Control characters, soft hyphens and zero-width spaces are dropped, all white
    space is one space, none at the ends.

    Args:
        strings: `(batch,)`, UTF-8; invalid bytes count as U+FFFD.
        lowercase: also write every character in lower case.

    Returns:
        Code points int32 `(batch, characters)`.
    """
    decoded = tf.strings.unicode_decode(tf.convert_to_tensor(strings), "UTF-8")
    replaced = _replaced(decoded, _replacements(lowercase))
    return _single_spaces(_composed(replaced))


def _replaced(points: tf.RaggedTensor, table: tuple[Array, Array, Array, Array]) -> tf.RaggedTensor:
    """Every character by its sequence in the table."""
    keys, starts, counts, sequences = (tf.constant(part) for part in table)
    index = tf.searchsorted(keys, points.values)
    changes = tf.equal(tf.gather(keys, index), points.values)
    # Each character is repeated as often as it has successors; `inside` numbers these, from 0.
    repeats = tf.where(changes, tf.gather(counts, index), 1)
    first = tf.cumsum(repeats, exclusive=True)
    source = tf.repeat(tf.range(tf.size(points.values)), repeats)
    inside = tf.range(tf.reduce_sum(repeats)) - tf.gather(first, source)
    replacement = tf.gather(
        sequences, tf.where(tf.gather(changes, source), tf.gather(starts, tf.gather(index, source)) + inside, 0)
    )
    values = tf.where(tf.gather(changes, source), replacement, tf.gather(points.values, source))
    rows = tf.gather(points.value_rowids(), source)
    return tf.RaggedTensor.from_value_rowids(values, rows, nrows=points.nrows())


def _composed(points: tf.RaggedTensor) -> tf.RaggedTensor:
    """Neighbours that compose, composed, from the left, until none do."""
    keys, results = (tf.constant(part) for part in _compositions())

    def pairs(values: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Whether each character composes with the next of its row, and where in the table."""
        same = tf.equal(rows[1:], rows[:-1])
        key = tf.cast(values[:-1], tf.int64) * 2**_PAIR_SHIFT + tf.cast(values[1:], tf.int64)
        index = tf.searchsorted(keys, key)
        return same & tf.equal(tf.gather(keys, index), key), index

    def body(values: Tensor, rows: Tensor, composes: Tensor, index: Tensor) -> tuple[Tensor, ...]:
        # Pairs may overlap: of those in a row only the first is composed now.
        after_another = tf.concat([[False], composes[:-1]], axis=0)
        chosen = composes & ~after_another
        merged = tf.where(chosen, tf.gather(results, index), values[:-1])
        values = tf.concat([merged, values[-1:]], axis=0)
        keep = tf.concat([[True], ~chosen], axis=0)
        values, rows = tf.boolean_mask(values, keep), tf.boolean_mask(rows, keep)
        return values, rows, *pairs(values, rows)

    values, rows = points.values, points.value_rowids()
    shapes = (tf.TensorShape([None]),) * 4
    values, rows, *_ = tf.while_loop(
        lambda values, rows, composes, index: tf.reduce_any(composes),
        body,
        (values, rows, *pairs(values, rows)),
        shape_invariants=shapes,
        parallel_iterations=1,
    )
    return tf.RaggedTensor.from_value_rowids(values, rows, nrows=points.nrows())


def _single_spaces(points: tf.RaggedTensor) -> tf.RaggedTensor:
    """Without spaces at the ends of rows, and of several in a row the first only."""
    values, rows = points.values, points.value_rowids()
    space = tf.equal(values, SPACE)
    first = tf.concat([[True], tf.not_equal(rows[1:], rows[:-1])], axis=0)[: tf.size(values)]
    after_space = tf.concat([[True], space[:-1]], axis=0)[: tf.size(values)]
    keep = ~(space & (first | after_space))
    values, rows = tf.boolean_mask(values, keep), tf.boolean_mask(rows, keep)
    last = tf.concat([tf.not_equal(rows[1:], rows[:-1]), [True]], axis=0)[-tf.size(values) :]
    keep = ~(tf.equal(values, SPACE) & last[: tf.size(values)])
    values, rows = tf.boolean_mask(values, keep), tf.boolean_mask(rows, keep)
    return tf.RaggedTensor.from_value_rowids(values, rows, nrows=points.nrows())


@functools.cache
def _replacements(lowercase: bool) -> tuple[Array, Array, Array, Array]:
    """Characters that change, ascending and ended by a sentinel; start and length of what replaces each; the latter."""
    keys, starts, counts, sequences = [], [], [], [0]
    for point in range(sys.maxunicode + 1):
        new = _replacement(chr(point), lowercase)
        if new != chr(point):
            keys.append(point)
            starts.append(len(sequences))
            counts.append(len(new))
            sequences += map(ord, new)
    ended = ([*keys, sys.maxunicode + 1], [*starts, 0], [*counts, 0], sequences)
    return tuple(np.array(part, np.int32) for part in ended)  # type: ignore[return-value]


def _replacement(character: str, lowercase: bool) -> str:
    """What one character becomes: none, one, or several."""
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    if character.isspace():
        return " "
    if ord(character) == SIGN:
        return "_"
    if ord(character) in _INVISIBLE or unicodedata.category(character) == "Cc":
        return ""
    new = unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", new.lower()) if lowercase else new


@functools.cache
def _compositions() -> tuple[Array, Array]:
    """Pairs of characters that one character stands for, as sorted numbers ended by a sentinel, and that character."""
    composed = {}
    for point in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(point)).split()
        if 0xAC00 <= point <= 0xD7A3:  # Hangul syllables, which the database leaves to arithmetic
            index = point - 0xAC00
            pair = (0x1100 + index // 588, 0x1161 + index % 588 // 28)
            pair = (point - index % 28, 0x11A7 + index % 28) if index % 28 else pair
        elif len(parts) == 2 and not parts[0].startswith("<"):
            pair = (int(parts[0], 16), int(parts[1], 16))
        else:
            continue
        if unicodedata.normalize("NFC", chr(pair[0]) + chr(pair[1])) == chr(point):
            composed[pair[0] << _PAIR_SHIFT | pair[1]] = point
    keys = sorted(composed)
    results = [composed[key] for key in keys]
    return np.array([*keys, np.iinfo(np.int64).max], np.int64), np.array([*results, 0], np.int32)
