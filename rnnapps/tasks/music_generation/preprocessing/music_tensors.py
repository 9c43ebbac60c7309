"""Notes on a grid to frames or events and back, as `MusicGrid` does it, inside the graph of an exported model."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.tasks.music_generation.data.piece import KEYS
from rnnapps.tasks.music_generation.preprocessing.music_grid import (
    FIRST_OFF,
    FIRST_ON,
    FIRST_SHIFT,
    NOTE_VELOCITY,
    MusicGrid,
)
from rnnapps.types import Tensor

__all__ = ["Rolls", "changes_of", "gaps", "rolls_of_events", "rolls_of_frames", "running_maximum", "tokens_of"]

LONGEST_ROLL = 1 << 16


class Rolls(NamedTuple):
    """Notes of pieces; the last step is silent in all of them.

    Attributes:
        sounding: bool `(batch, steps, 88)`, whether a key sounds.
        struck: the same shape, whether a note begins.
        velocity: int32 of the same shape, where a note begins its velocity.
    """

    sounding: Tensor
    struck: Tensor
    velocity: Tensor


def changes_of(rolls: Rolls) -> tuple[Tensor, Tensor]:
    """(released, struck), bool `(batch, steps, 88)`: a note ends before a step, or begins at it."""
    before = tf.pad(rolls.sounding, [[0, 0], [1, 0], [0, 0]])[:, :-1]
    return before & (~rolls.sounding | rolls.struck), rolls.struck


def tokens_of(rolls: Rolls, grid: MusicGrid) -> tuple[Tensor, Tensor]:
    """Events of pieces, int32 `(batch, time)`, and their number `(batch,)`."""
    released, struck = changes_of(rolls)
    keys = tf.range(KEYS)
    level = rolls.velocity * grid.velocity_levels // 128
    says = _level_changes(struck, level) & (grid.velocity_levels > 1)
    shift = _shifts(tf.reduce_any(released | struck, axis=2), grid.longest_shift_steps)
    on = tf.stack([level + FIRST_SHIFT + grid.longest_shift_steps, tf.zeros_like(level) + FIRST_ON + keys], axis=3)
    shape = tf.shape(level)
    wide = tf.stack([shape[0], shape[1], 2 * KEYS])
    tokens = tf.concat(
        [(shift + FIRST_SHIFT - 1)[..., None], tf.zeros_like(level) + FIRST_OFF + keys, tf.reshape(on, wide)], 2
    )
    said = tf.concat([(shift > 0)[..., None], released, tf.reshape(tf.stack([says, struck], axis=3), wide)], 2)
    flat = tf.stack([shape[0], shape[1] * (1 + 3 * KEYS)])
    tokens, said = tf.reshape(tokens, flat), tf.reshape(said, flat)
    lengths = tf.reduce_sum(tf.cast(said, tf.int32), axis=1)
    return tf.ragged.boolean_mask(tokens, said).to_tensor(), lengths


def _level_changes(struck: Tensor, level: Tensor) -> Tensor:
    """Which notes are of another loudness than the note before."""
    places = tf.where(struck)
    levels = tf.gather_nd(level, places)
    first = tf.pad(places[1:, 0] != places[:-1, 0], [[1, 0]], constant_values=True)[: tf.size(levels)]
    other = tf.pad(levels[1:] != levels[:-1], [[1, 0]], constant_values=True)[: tf.size(levels)]
    return tf.scatter_nd(places, first | other, tf.shape(struck, tf.int64))


def _shifts(changed: Tensor, longest: int) -> Tensor:
    """The time shift that ends at each step, int32 `(batch, steps)`; 0 for none.

    Before a change as many shifts of full length as fit end, one after the other, and at the change the rest.
    """
    places = tf.where(changed)
    gap = gaps(places)
    full, rest = gap // longest, gap % longest
    number = tf.ragged.range(full).flat_values
    behind = tf.repeat(places[:, 1] - rest, full) - number * longest
    whole = tf.stack([tf.repeat(places[:, 0], full), behind], axis=1)
    full_shifts = tf.scatter_nd(whole, tf.fill(tf.shape(number), longest), tf.shape(changed, tf.int64))
    return full_shifts + tf.scatter_nd(places, tf.cast(rest, tf.int32), tf.shape(changed, tf.int64))


def gaps(places: Tensor) -> Tensor:
    """Steps of each place (row, step), in order, since the place before it in its row, or since the beginning."""
    same = tf.concat([tf.zeros([1], tf.bool), places[1:, 0] == places[:-1, 0]], 0)[: tf.shape(places)[0]]
    before = tf.concat([tf.zeros([1], tf.int64), places[:-1, 1]], 0)[: tf.shape(places)[0]]
    return places[:, 1] - tf.where(same, before, 0)


def rolls_of_frames(frames: Tensor, lengths: Tensor) -> Rolls:
    """Frames `(batch, time, 88)`, of which `lengths` are valid: what sounds without a gap is one note."""
    valid = tf.sequence_mask(lengths, tf.shape(frames)[1])[..., None]
    sounding = tf.pad((frames > 0) & valid, [[0, 0], [0, 1], [0, 0]])
    struck = sounding & ~tf.pad(sounding, [[0, 0], [1, 0], [0, 0]])[:, :-1]
    return Rolls(sounding, struck, tf.where(struck, NOTE_VELOCITY, 0))


def rolls_of_events(tokens: Tensor, lengths: Tensor, grid: MusicGrid) -> Rolls:
    """Any tokens `(batch, time)`, of which `lengths` are valid, read as `MusicGrid.from_events` reads them.

    What lies behind step 65,536 is left out.
    """
    tokens = tf.pad(tf.where(tf.sequence_mask(lengths, tf.shape(tokens)[1]), tokens, 0), [[0, 0], [0, 1]])
    first_level = FIRST_SHIFT + grid.longest_shift_steps
    shifts = tf.where((tokens >= FIRST_SHIFT) & (tokens < first_level), tokens - FIRST_SHIFT + 1, 0)
    step = tf.minimum(tf.cumsum(shifts, axis=1), LONGEST_ROLL)
    total = step[:, -1]
    is_key = (tokens >= FIRST_ON) & (tokens < FIRST_SHIFT)
    rows = tf.broadcast_to(tf.range(tf.shape(tokens)[0])[:, None], tf.shape(tokens))
    places = tf.stack([rows, step, tf.where(is_key, (tokens - FIRST_ON) % KEYS, 0)], axis=2)
    shape = tf.stack([tf.shape(tokens)[0], tf.reduce_max(tf.pad(total, [[0, 1]])) + 1, KEYS])
    # What was said last of a key counts: twice the number of the token, from 1, and 1 more where it strikes the key.
    number = tf.range(1, tf.shape(tokens)[1] + 1)[None]
    said = tf.where(is_key, 2 * number + tf.cast(tokens < FIRST_OFF, tf.int32), 0)
    said = tf.tensor_scatter_nd_max(tf.zeros(shape, tf.int32), places, said)
    inside = tf.sequence_mask(total, shape[1])[..., None]
    sounding, struck = ((latest % 2 == 1) & inside for latest in (running_maximum(said), said))
    loud = tf.gather(_velocities(tokens, grid), tf.maximum(said // 2 - 1, 0), batch_dims=1)
    return Rolls(sounding, struck, tf.where(struck, loud, 0))


def _velocities(tokens: Tensor, grid: MusicGrid) -> Tensor:
    """The velocity that holds at each token, with one of silence behind the last."""
    first_level = FIRST_SHIFT + grid.longest_shift_steps
    known = tf.constant([grid.velocity(level) for level in range(grid.velocity_levels)])
    number = tf.range(1, tf.shape(tokens)[1] + 1)[None]
    latest = running_maximum(tf.where(tokens >= first_level, number, 0))
    level = tf.gather(tf.pad(tokens - first_level, [[0, 0], [1, 0]]), latest, batch_dims=1)
    begins = grid.velocity(grid.level(NOTE_VELOCITY))
    velocities = tf.where(latest > 0, tf.gather(known, tf.clip_by_value(level, 0, grid.velocity_levels - 1)), begins)
    return tf.pad(velocities, [[0, 0], [0, 1]])


def running_maximum(values: Tensor) -> Tensor:
    """The largest of the values up to each place of axis 1; none is negative."""
    length, margins = tf.shape(values)[1], [[0, 0]] * (len(values.shape) - 2)

    def body(shift: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        moved = tf.pad(values, [[0, 0], [shift, 0], *margins])[:, :length]
        return 2 * shift, tf.maximum(values, moved)

    shapes = (tf.TensorShape(()), values.shape)
    start = (tf.constant(1), values)
    return tf.while_loop(lambda shift, _: shift < length, body, start, shape_invariants=shapes)[1]
