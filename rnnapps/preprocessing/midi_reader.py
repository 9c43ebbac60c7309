"""Reads Standard MIDI Files inside the graph of an exported model: bytes to notes on a grid, by TensorFlow core only.

It takes the files that `rnnapps.data.midi.parse_midi` takes, and reads the same notes from them, within tighter limits
of size. A row that holds no such file gets a problem instead of notes and disturbs no other row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from rnnapps.data.midi import MAXIMUM_TRACKS
from rnnapps.data.piece import HIGHEST_KEY, KEYS, LOWEST_KEY
from rnnapps.preprocessing.midi_scan import (
    CHANNELS,
    DAMAGED,
    NO_MIDI,
    PITCHES,
    SILENT,
    TOO_LARGE,
    TOO_LONG,
    Reading,
    big_endian,
    bytes_at,
    read_event,
)

__all__ = ["LARGEST_BYTES", "LONGEST_STEPS", "PROBLEMS", "MidiNotes", "read_midi"]

LARGEST_BYTES = 64 << 10
LONGEST_STEPS = 4096

PROBLEMS = (
    "",
    f"has more than {LARGEST_BYTES:,} bytes",
    "is no Standard MIDI File of type 0 or 1 in beats",
    "is cut off or damaged",
    f"lasts more than {LONGEST_STEPS:,} grid steps",
    f"holds a note outside {LOWEST_KEY} to {HIGHEST_KEY}, the keys of a piano",
    "holds no notes",
)
"""What can be wrong with a file, in the order of the numbers in `midi_scan`; 0 is nothing."""

MTHD = int.from_bytes(b"MThd", "big")


class MidiNotes(NamedTuple):
    """What was read. A row with a problem is as silent as an empty one.

    Attributes:
        sounding: bool `(batch, steps, 88)`, whether a key sounds.
        struck: the same shape, whether a note begins.
        velocity: int32 of the same shape, where a note begins that of the loudest.
        lengths: int32 `(batch,)`, steps until the last note has ended.
        tempo: int32 `(batch,)`, microseconds of a quarter note; 0 where the file does not say.
        numerator: int32 `(batch,)`, of the time signature; 0 where the file does not say.
        exponent: int32 `(batch,)`: its denominator is 2 to this power.
        problem: int32 `(batch,)`, place in `PROBLEMS`.
    """

    sounding: Any
    struck: Any
    velocity: Any
    lengths: Any
    tempo: Any
    numerator: Any
    exponent: Any
    problem: Any


def read_midi(contents: Any, *, steps_per_beat: int, percussion: bool = False) -> MidiNotes:
    """Reads files onto a grid; an empty string is an empty piece.

    Args:
        contents: strings `(batch,)`.
        steps_per_beat: grid steps in a quarter note.
        percussion: read channel 10 instead of all others.
    """
    sizes = tf.strings.length(contents)
    too_large = sizes > LARGEST_BYTES
    contents, sizes = tf.where(too_large, "", contents), tf.where(too_large, 0, sizes)
    data = tf.io.decode_raw(contents, tf.uint8, fixed_length=tf.reduce_max(sizes) + 16)
    data, sizes = tf.cast(data, tf.int32), tf.cast(sizes, tf.int64)
    division, claimed, start = _header(data, sizes)
    start = start._replace(problem=tf.where(too_large, TOO_LARGE, start.problem))
    changes = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=[None, 4])

    def active(now: Reading) -> Any:
        return (now.problem == 0) & ((now.place < sizes) | (now.sounding > 0))

    def one(number: Any, now: Reading, changes: Any) -> tuple[Any, ...]:
        going = active(now)
        new, change = read_event(data, sizes, now, percussion=percussion)
        too_long = new.ticks * steps_per_beat // division >= LONGEST_STEPS
        new = new._replace(problem=tf.where((new.problem == 0) & too_long, TOO_LONG, new.problem))
        kept = [
            tf.where(tf.reshape(going, [-1] + [1] * (len(a.shape) - 1)), a, b) for a, b in zip(new, now, strict=True)
        ]
        step = (2 * new.ticks * steps_per_beat + division) // (2 * division)
        change = tf.stack([tf.cast(step, tf.int32), *change], axis=1)
        change = tf.where(going[:, None], change, 0)
        return number + 1, Reading(*kept), changes.write(number, change)

    _, end, changes = tf.while_loop(
        lambda number, now, changes: (number == 0) | tf.reduce_any(active(now)),  # a stack needs one element
        one,
        (tf.constant(0), start, changes),
        parallel_iterations=1,
    )
    problem = tf.where((end.problem == 0) & (end.tracks != claimed), DAMAGED, end.problem)
    problem = tf.where((problem == 0) & (end.notes == 0) & (sizes > 0), SILENT, problem)
    good = problem == 0
    sounding, struck, velocity, lengths = _rolls(tf.transpose(changes.stack(), [1, 0, 2]), good)
    facts = (end.tempo, end.numerator, end.exponent)
    tempo, numerator, exponent = (tf.where(good, tf.maximum(fact, 0), 0) for fact in facts)
    return MidiNotes(sounding, struck, velocity, lengths, tempo, numerator, exponent, problem)


def _header(data: Any, sizes: Any) -> tuple[Any, Any, Reading]:
    """Ticks of a quarter note (int64), number of tracks that is claimed, and the reader before the first chunk."""
    head = bytes_at(data, tf.zeros_like(sizes), 14)
    size = big_endian(head[:, 4:8])
    kind, claimed, division = (big_endian(head[:, place : place + 2]) for place in (8, 10, 12))
    good = (big_endian(head[:, :4]) == MTHD) & (sizes >= 14) & (kind <= 1) & (claimed <= MAXIMUM_TRACKS)
    good &= (division > 0) & (division < 0x8000)
    rows = tf.shape(data)[0]
    zeros, first = tf.zeros([rows], tf.int32), tf.where(sizes > 0, 8 + size, 0)
    start = Reading(
        place=first,
        end=first,
        ticks=tf.zeros_like(first),
        running=zeros,
        tracks=zeros,
        tempo=zeros - 1,
        numerator=zeros - 1,
        exponent=zeros,
        held=tf.zeros([rows, CHANNELS * PITCHES], tf.int32),
        sounding=zeros,
        notes=zeros,
        problem=tf.where(good | (sizes == 0), 0, NO_MIDI),
    )
    empty = sizes == 0
    return tf.where(good, division, 480), tf.where(empty, 0, tf.cast(claimed, tf.int32)), start


def _rolls(changes: Any, good: Any) -> tuple[Any, ...]:
    """(sounding, struck, velocity, lengths) from changes `(batch, changes, 4)`: step, pitch, change, velocity."""
    step, pitch, change, velocity = tf.unstack(tf.where(good[:, None, None], changes, 0), axis=2)
    change = tf.where((pitch >= LOWEST_KEY) & (pitch <= HIGHEST_KEY), change, 0)
    key = tf.clip_by_value(pitch - LOWEST_KEY, 0, KEYS - 1)
    rows = tf.broadcast_to(tf.range(tf.shape(step)[0])[:, None], tf.shape(step))
    places = tf.stack([rows, step, key], axis=2)
    shape = tf.stack([tf.shape(step)[0], tf.reduce_max(tf.pad(step, [[0, 1], [0, 1]])) + 2, KEYS])
    struck = tf.scatter_nd(places, tf.cast(change > 0, tf.int32), shape) > 0
    velocity = tf.tensor_scatter_nd_max(tf.zeros(shape, tf.int32), places, tf.where(change > 0, velocity, 0))
    # A note rounded to no length lasts for the step it begins in.
    sounding = (tf.cumsum(tf.scatter_nd(places, change, shape), axis=1) > 0) | struck
    ends = tf.where(tf.reduce_any(sounding, axis=2), tf.range(1, shape[1] + 1)[None], 0)
    return sounding, struck, velocity, tf.reduce_max(ends, axis=1)
