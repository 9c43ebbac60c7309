"""Finds the events of Standard MIDI Files with TensorFlow core operations, all at once.

Where an event ends, and whether what follows may rely on a running status, is worked out for every byte as if an event
began there. Following these pointers from the beginning of each track, in steps of 1, 2, 4... events, marks where
events do begin. So no loop runs over events, and a file takes about as many operations as its size has bits.
It reads what `rnnapps.tasks.music_generation.data.midi_events.track_events` reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from rnnapps.preprocessing.raw_bytes import big_endian
from rnnapps.tasks.music_generation.data.midi_events import ESCAPE, META, SHORTEST, SYSTEM_EXCLUSIVE
from rnnapps.tasks.music_generation.preprocessing.music_tensors import running_maximum
from rnnapps.types import Tensor

__all__ = ["Events", "Tracks", "at", "find_events", "find_tracks"]

MTRK = int.from_bytes(b"MTrk", "big")
CLASSES = 3
"""Of running status: none, one with one data byte, one with two."""


class Tracks(NamedTuple):
    """The tracks of files.

    Attributes:
        number: int32 `(batch, bytes)`, of the track that a byte lies in, from 1; 0 for none.
        end: int32 `(batch, bytes)`, place behind that track.
        begins: bool `(batch, bytes)`, whether a track begins here that is not empty.
        count: int32 `(batch,)`, number of tracks.
        good: bool `(batch,)`, whether all chunks end within the file.
    """

    number: Tensor
    end: Tensor
    begins: Tensor
    count: Tensor
    good: Tensor


class Events(NamedTuple):
    """What begins at each byte, all `(batch, bytes)`.

    Attributes:
        found: bool, whether an event does.
        delta: int32, ticks since the event before.
        status: int32, the status, a running one too.
        body: int32, place of its data, of a meta event of that behind its length.
        kind: int32, type of a meta event, -1 for other events.
        good: bool `(batch,)`, whether all tracks can be read to their ends.
    """

    found: Tensor
    delta: Tensor
    status: Tensor
    body: Tensor
    kind: Tensor
    good: Tensor


def find_tracks(data: Tensor, sizes: Tensor, first: Tensor) -> Tracks:
    """Walks over the chunks.

    Args:
        data: bytes `(batch, bytes)`, int32.
        sizes: int64 `(batch,)`, bytes of each file.
        first: int64 `(batch,)`, place of the first chunk.
    """
    shape = tf.shape(data)
    rows = tf.range(shape[0], dtype=tf.int64)

    def body(position: Tensor, edges: Tensor, count: Tensor, good: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        going = good & (position < sizes)
        head = tf.gather(
            data, tf.minimum(position[:, None] + tf.range(8, dtype=tf.int64), sizes[:, None]), batch_dims=1
        )
        end = position + 8 + big_endian(head[:, 4:])
        good &= ~going | (end <= sizes)
        track = going & good & (big_endian(head[:, :4]) == MTRK)
        inside = tf.minimum(tf.stack([position + 8, end], axis=1), sizes[:, None])
        number = tf.where(track, count + 1, 0)
        where = tf.stack([tf.repeat(rows, 2), tf.reshape(inside, [-1])], axis=1)
        change = tf.reshape(tf.stack([number, -number], axis=1), [-1])
        edges = tf.tensor_scatter_nd_add(edges, where, change)
        return tf.where(going & good, end, position), edges, count + tf.cast(track, tf.int32), good

    zeros = tf.zeros(shape[0], tf.int32)
    start = (first, tf.zeros(shape, tf.int32), zeros, tf.ones_like(zeros, tf.bool))
    _, edges, count, good = tf.while_loop(
        lambda position, _, __, good: tf.reduce_any(good & (position < sizes)), body, start
    )
    number = tf.cumsum(edges, axis=1)
    before = tf.pad(number, [[0, 0], [1, 0]])[:, :-1]
    begins = (number > 0) & (number != before)
    # From behind: the nearest place to the right where another track, or none, begins.
    places = tf.range(shape[1])[None]
    changes = tf.where(number != before, shape[1] - places, 0)
    nearest = tf.reverse(running_maximum(tf.reverse(tf.pad(changes, [[0, 0], [0, 1]])[:, 1:], [1])), [1])
    return Tracks(number, tf.where(number > 0, shape[1] - nearest, 0), begins, count, good)


def find_events(data: Tensor, tracks: Tracks) -> Events:
    """Marks the events of all tracks."""
    shape = tf.shape(data)
    places = tf.range(shape[1])[None]
    delta, width, fits = _numbers(data)
    status_place = places + width
    said = at(data, status_place)
    explicit = said >= 0x80
    channel, meta = explicit & (said < SYSTEM_EXCLUSIVE), said == META
    long = meta | (said == SYSTEM_EXCLUSIVE) | (said == ESCAPE)
    body = status_place + tf.cast(explicit, tf.int32)
    kind = tf.where(meta, at(data, body), -1)
    length_place = body + tf.cast(meta, tf.int32)
    length, length_width = at(delta, length_place), at(width, length_place)
    content = length_place + length_width
    long_good = fits & long & at(fits, length_place)
    for meta_kind, least in SHORTEST.items():
        long_good &= (kind != meta_kind) | (length >= least)
    low = [at(data, body + number) < 0x80 for number in (0, 1)]
    size = tf.where((said >= 0xC0) & (said < 0xE0), 1, 2)
    following = []
    for running in range(CLASSES):
        # The event's data bytes if it is one of a channel, and the class behind it.
        own = tf.where(explicit, size, running)
        good = fits & (channel | (~explicit & (running > 0))) & low[0] & (low[1] | (own < 2))
        behind = tf.where(long, content + length, body + own)
        good = (good | long_good) & (behind <= tracks.end)
        last = behind == tracks.end
        following.append((good, last, tf.where(channel, own, running), behind))
    marked, good = _follow(following, tracks.begins)
    found = tf.reduce_any(marked, axis=1)
    latest = running_maximum(tf.where(found & channel, status_place, 0))
    status = tf.where(explicit, said, at(data, latest))
    return Events(found, delta, status, tf.where(long, content, body), kind, good)


def _follow(following: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], begins: Tensor) -> tuple[Tensor, Tensor]:
    """Marks what is reached from where tracks begin.

    Args:
        following: for each class of running status (whether an event can begin at a byte, whether it is the track's
            last, the class behind it, the place behind it), each `(batch, bytes)`.
        begins: bool `(batch, bytes)`.

    Returns:
        bool `(batch, classes, bytes)`, and whether no dead end is reached `(batch,)`.
    """
    shape = tf.shape(begins, tf.int64)
    width = CLASSES * shape[1]
    good, last, behind_class, behind = (tf.stack(column, axis=1) for column in zip(*following, strict=True))
    target = tf.cast(behind_class, tf.int64) * shape[1] + tf.cast(behind, tf.int64)
    # Two more nodes for each row, which lead to themselves: all is well, and a dead end.
    end, dead = width, width + 1
    target = tf.reshape(tf.where(good, tf.where(last, end, target), dead), tf.stack([shape[0], width]))
    own = tf.tile([[end, dead]], tf.stack([shape[0], 1]))
    jump = tf.concat([target, own], axis=1) + (tf.range(shape[0]) * (width + 2))[:, None]
    none = tf.zeros(tf.stack([shape[0], width - shape[1] + 2]), tf.int32)
    marked = tf.concat([tf.cast(begins, tf.int32), none], axis=1)
    nodes = shape[0] * (width + 2)

    def body(reach: Tensor, jump: Tensor, marked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        marked = tf.maximum(marked, tf.math.unsorted_segment_max(marked, jump, nodes))
        return 2 * reach, tf.gather(jump, jump), marked

    start = (tf.constant(1, tf.int64), tf.reshape(jump, [-1]), tf.reshape(marked, [-1]))
    marked = tf.while_loop(lambda reach, *_: reach < shape[1], body, start)[2]
    marked = tf.reshape(marked, tf.stack([shape[0], width + 2])) > 0
    return tf.reshape(marked[:, :width], tf.stack([shape[0], CLASSES, shape[1]])), ~marked[:, -1]


def _numbers(data: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The number of one to four bytes, 7 bits each, that begins at each byte; its bytes; and whether it has no more."""
    windows = [tf.pad(data, [[0, 0], [0, 4]])[:, shift : shift - 4] for shift in range(4)]
    value, width, fits = tf.zeros_like(data), tf.zeros_like(data), tf.zeros_like(data, tf.bool)
    for window in windows:
        value = tf.where(fits, value, value * 128 + window % 128)
        width += tf.cast(~fits, tf.int32)
        fits |= window < 0x80
    return value, width, fits


def at(values: Tensor, places: Tensor) -> Tensor:
    """Values `(batch, bytes)` at places of the same shape; the last one behind the end."""
    return tf.gather(values, tf.minimum(places, tf.shape(values)[1] - 1), batch_dims=1)
