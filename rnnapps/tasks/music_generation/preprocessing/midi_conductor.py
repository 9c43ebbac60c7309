"""Tempo and time signature of Standard MIDI Files, inside the graph: from the tracks of one to the first of another."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.tasks.music_generation.data.config import TICKS_PER_BEAT
from rnnapps.tasks.music_generation.data.midi_events import META, TEMPO, TIME_SIGNATURE
from rnnapps.tasks.music_generation.data.midi_timeline import LARGEST_EXPONENT
from rnnapps.tasks.music_generation.preprocessing.midi_scan import Events
from rnnapps.tasks.music_generation.preprocessing.music_tensors import gaps
from rnnapps.types import Tensor

__all__ = ["SPAN_TICKS", "byte_strings", "conductor_events", "delta_bytes", "steps_of", "unknown_signatures"]

SPAN_TICKS = 1 << 32
"""More than a file lasts that is read: the row and the time of an event together are one number."""


def conductor_events(data: Tensor, events: Events, ticks: Tensor, division: Tensor, *, steps_per_beat: int) -> Tensor:
    """The changes of tempo and time signature, as the events of a track on the grid, strings `(batch,)`.

    Args:
        data: bytes `(batch, bytes)`.
        events: what begins at each byte.
        ticks: int64 `(batch, bytes)`, when.
        division: int64 `(batch,)`, ticks of a quarter note.
        steps_per_beat: grid steps in a quarter note.
    """
    places = tf.where(events.found & ((events.kind == TEMPO) | (events.kind == TIME_SIGNATURE)))
    order = tf.argsort(places[:, 0] * SPAN_TICKS + tf.gather_nd(ticks, places), stable=True)
    places = tf.gather(places, order)
    body = tf.gather_nd(events.body, places)
    one, two, three = (_byte(data, places[:, 0], body + shift) for shift in range(3))
    is_tempo = tf.gather_nd(events.kind, places) == TEMPO
    told = tf.where(is_tempo, one + two + three, one) > 0
    step = steps_of(tf.gather_nd(ticks, places), tf.gather(division, places[:, 0]), steps_per_beat=steps_per_beat)
    places, is_tempo, one, two, three = (
        tf.boolean_mask(column, told) for column in (tf.stack([places[:, 0], step], axis=1), is_tempo, one, two, three)
    )
    event = [
        *delta_bytes(gaps(places) * (TICKS_PER_BEAT // steps_per_beat)),
        tf.fill(tf.shape(one), META),
        tf.where(is_tempo, TEMPO, TIME_SIGNATURE),
        *(tf.where(is_tempo, 3, 4), one, two, tf.where(is_tempo, three, 24), tf.where(is_tempo, -1, 8)),
    ]
    rows = tf.RaggedTensor.from_value_rowids(
        byte_strings(tf.stack(event, axis=1)), places[:, 0], nrows=tf.shape(data, tf.int64)[0], validate=False
    )
    return tf.strings.reduce_join(rows.to_tensor(""), axis=1)


def unknown_signatures(data: Tensor, events: Events) -> Tensor:
    """Whether a file has a time signature that counts in less than 128ths, bool `(batch,)`."""
    exponent = tf.gather(data, tf.minimum(events.body + 1, tf.shape(data)[1] - 1), batch_dims=1)
    return tf.reduce_any(events.found & (events.kind == TIME_SIGNATURE) & (exponent > LARGEST_EXPONENT), axis=1)


def _byte(data: Tensor, rows: Tensor, places: Tensor) -> Tensor:
    return tf.gather_nd(data, tf.stack([rows, tf.cast(places, tf.int64)], axis=1))


def steps_of(ticks: Tensor, division: Tensor, *, steps_per_beat: int) -> Tensor:
    """The grid steps nearest to times, halves upwards, int64."""
    return (2 * ticks * steps_per_beat + division) // (2 * division)


def delta_bytes(delta: Tensor) -> list[Tensor]:
    """Times in ticks `(events,)` as MIDI writes them: four bytes each, of which negative ones are left out."""
    groups = [tf.cast(delta // 128**power, tf.int32) for power in (3, 2, 1)]
    return [*(tf.where(group > 0, group % 128 + 128, -1) for group in groups), tf.cast(delta % 128, tf.int32)]


def byte_strings(numbers: Tensor) -> Tensor:
    """Rows of bytes `(rows, bytes)` as strings `(rows,)`; what is negative is left out."""
    table = tf.constant([bytes((byte,)) for byte in range(256)])
    return tf.strings.reduce_join(tf.where(numbers < 0, "", tf.gather(table, tf.maximum(numbers, 0))), axis=1)
