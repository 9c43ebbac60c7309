"""Writes Standard MIDI Files inside the graph of an exported model."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.tasks.music_generation.data.config import TICKS_PER_BEAT
from rnnapps.tasks.music_generation.data.midi import DRUMS
from rnnapps.tasks.music_generation.data.midi_events import META, NOTE_OFF, NOTE_ON, TEMPO, TIME_SIGNATURE
from rnnapps.tasks.music_generation.data.piece import KEYS, LOWEST_KEY
from rnnapps.tasks.music_generation.preprocessing.music_tensors import Rolls, changes_of, gaps
from rnnapps.types import Tensor

__all__ = ["write_midi"]

HEAD = b"MThd" + bytes((0, 0, 0, 6, 0, 0, 0, 1)) + TICKS_PER_BEAT.to_bytes(2, "big") + b"MTrk"
END_OF_TRACK = bytes((0, META, 0x2F, 0))
FACTS = 15
"""Bytes of the tempo and the time signature."""


def write_midi(
    rolls: Rolls, tempo: Tensor, numerator: Tensor, exponent: Tensor, *, steps_per_beat: int, percussion: bool = False
) -> Tensor:
    """Files of type 0 that hold what `rnnapps.tasks.music_generation.data.midi.write_midi` writes.

    Args:
        rolls: the notes.
        tempo: int32 `(batch,)`, microseconds of a quarter note; 0 for 500,000.
        numerator: int32 `(batch,)`, of the time signature; 0 for four quarters.
        exponent: int32 `(batch,)`: its denominator is 2 to this power.
        steps_per_beat: grid steps in a quarter note.
        percussion: write channel 10.

    Returns:
        Strings `(batch,)`.
    """
    released, struck = changes_of(rolls)
    places = tf.where(tf.concat([released, struck], axis=2))  # at one step keys are released first, lower keys first
    on, key = places[:, 2] >= KEYS, places[:, 2] % KEYS
    delta = gaps(places[:, :2]) * (TICKS_PER_BEAT // steps_per_beat)
    velocity = tf.where(on, tf.gather_nd(rolls.velocity, tf.stack([places[:, 0], places[:, 1], key], axis=1)), 0)
    status = tf.where(on, NOTE_ON, NOTE_OFF) + (DRUMS if percussion else 0)
    groups = [tf.cast(delta // 128**power, tf.int32) for power in (3, 2, 1)]
    number = [tf.where(group > 0, group % 128 + 128, -1) for group in groups]
    event = [*number, tf.cast(delta % 128, tf.int32), status, tf.cast(key, tf.int32) + LOWEST_KEY, velocity]
    events = tf.RaggedTensor.from_value_rowids(
        _strings(tf.stack(event, axis=1)), places[:, 0], nrows=tf.shape(struck, tf.int64)[0], validate=False
    )
    body = tf.strings.reduce_join(events.to_tensor(""), axis=1)
    facts = _facts(tempo, numerator, exponent)
    size = tf.strings.length(body) + FACTS + len(END_OF_TRACK)
    size = _strings(tf.stack([size // 256**power % 256 for power in (3, 2, 1, 0)], axis=1))
    return tf.strings.join([tf.fill(tf.shape(body), HEAD), size, facts, body, tf.fill(tf.shape(body), END_OF_TRACK)])


def _facts(tempo: Tensor, numerator: Tensor, exponent: Tensor) -> Tensor:
    """Tempo and time signature, which is written in quarters or eighths."""
    tempo = tf.where(tempo > 0, tempo, 500_000)
    quarters = tf.cast(numerator, tf.float64) * 4 / tf.pow(tf.constant(2, tf.float64), tf.cast(exponent, tf.float64))
    eighths = tf.where(numerator > 0, tf.clip_by_value(tf.cast(tf.round(quarters * 2), tf.int32), 1, 255), 8)
    even = eighths % 2 == 0
    zeros = tf.zeros_like(tempo)
    numbers = [
        *(zeros + byte for byte in (0, META, TEMPO, 3)),
        *(tempo // 256**power % 256 for power in (2, 1, 0)),
        *(zeros + byte for byte in (0, META, TIME_SIGNATURE, 4)),
        *(tf.where(even, eighths // 2, eighths), tf.where(even, 2, 3), zeros + 24, zeros + 8),
    ]
    return _strings(tf.stack(numbers, axis=1))


def _strings(numbers: Tensor) -> Tensor:
    """Rows of bytes `(rows, bytes)` as strings `(rows,)`; what is negative is left out."""
    table = tf.constant([bytes((byte,)) for byte in range(256)])
    return tf.strings.reduce_join(tf.where(numbers < 0, "", tf.gather(table, tf.maximum(numbers, 0))), axis=1)
