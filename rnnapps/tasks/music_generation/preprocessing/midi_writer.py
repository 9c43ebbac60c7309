"""Writes Standard MIDI Files inside the graph of an exported model."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.tasks.music_generation.data.config import TICKS_PER_BEAT
from rnnapps.tasks.music_generation.data.midi import DRUMS
from rnnapps.tasks.music_generation.data.midi_events import META, NOTE_OFF, NOTE_ON
from rnnapps.tasks.music_generation.data.piece import KEYS, LOWEST_KEY
from rnnapps.tasks.music_generation.preprocessing.midi_conductor import byte_strings, delta_bytes
from rnnapps.tasks.music_generation.preprocessing.music_tensors import Rolls, changes_of, gaps
from rnnapps.types import Tensor

__all__ = ["write_midi"]

HEAD = b"MThd" + bytes((0, 0, 0, 6, 0, 1, 0, 2)) + TICKS_PER_BEAT.to_bytes(2, "big")
END_OF_TRACK = bytes((0, META, 0x2F, 0))


def write_midi(rolls: Rolls, conductor: Tensor, *, steps_per_beat: int, percussion: bool = False) -> Tensor:
    """Files of type 1 that hold what `rnnapps.tasks.music_generation.data.midi.write_midi` writes.

    Args:
        rolls: the notes.
        conductor: strings `(batch,)`, the events of the first track: tempo and time signature.
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
    event = [*delta_bytes(delta), status, tf.cast(key, tf.int32) + LOWEST_KEY, velocity]
    events = tf.RaggedTensor.from_value_rowids(
        byte_strings(tf.stack(event, axis=1)), places[:, 0], nrows=tf.shape(struck, tf.int64)[0], validate=False
    )
    body = tf.strings.reduce_join(events.to_tensor(""), axis=1)
    return tf.strings.join([tf.fill(tf.shape(body), HEAD), *_track(conductor), *_track(body)])


def _track(events: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The parts of a track chunk of events, strings `(batch,)`."""
    size = tf.strings.length(events) + len(END_OF_TRACK)
    told = byte_strings(tf.stack([size // 256**power % 256 for power in (3, 2, 1, 0)], axis=1))
    return tf.fill(tf.shape(events), b"MTrk"), told, events, tf.fill(tf.shape(events), END_OF_TRACK)
