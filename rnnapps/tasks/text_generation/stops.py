"""Texts that end before a string, wherever the borders of their tokens lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["before_stops", "until_stop"]

NO_CHARACTER = -1


def before_stops(texts: Tensor, stops: Tensor) -> Tensor:
    """Texts, strings `(batch,)`, each up to where its stop first occurs, in graph; an empty stop never does."""
    points = tf.strings.unicode_decode(texts, "UTF-8")
    signs = tf.strings.unicode_decode(stops, "UTF-8")
    lengths, most = tf.cast(points.row_lengths(), tf.int32), tf.cast(signs.row_lengths(), tf.int32)
    letters, wanted = points.to_tensor(NO_CHARACTER), signs.to_tensor(NO_CHARACTER)
    width, longest = tf.shape(letters)[1], tf.shape(wanted)[1]
    ahead = tf.pad(letters, [[0, 0], [0, longest]], constant_values=NO_CHARACTER)

    def body(place: Tensor, same: Tensor) -> tuple[Tensor, Tensor]:
        there = tf.equal(ahead[:, place : place + width], tf.gather(wanted, place, axis=1)[:, None])
        return place + 1, same & (there | (place >= most)[:, None])

    start = (tf.constant(0), tf.broadcast_to((most > 0)[:, None], tf.shape(letters)))
    shapes = (tf.TensorShape([]), tf.TensorShape([None, None]))
    _, same = tf.while_loop(lambda place, _: place < longest, body, start, shape_invariants=shapes)
    first = tf.reduce_min(tf.where(same, tf.range(width), width), axis=1)
    kept = tf.RaggedTensor.from_tensor(letters, lengths=tf.cast(tf.minimum(first, lengths), tf.int64))
    return tf.strings.unicode_encode(kept, "UTF-8")


def until_stop(pieces: Iterable[str], stop: str) -> Iterator[str]:
    """The pieces of a text up to where a string first occurs; an empty one never does.

    What may be the beginning of the string is held back until that is decided.
    """
    held = ""
    for piece in pieces:
        held += piece
        place = held.find(stop) if stop else -1
        if place >= 0:
            held = held[:place]
            break
        keep = _possible_stop(held, stop)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if ready:
            yield ready
    if held:
        yield held


def _possible_stop(text: str, stop: str) -> int:
    """Length of the longest end of a text that is a beginning of a string."""
    return next((size for size in range(len(stop) - 1, 0, -1) if text.endswith(stop[:size])), 0)
