"""Signatures of music models that read and write frames: the keys that sound in each step of the grid."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.decoding.distribution import Rules
from rnnapps.export.row_rules import between, ids_below, lengths_fit
from rnnapps.tasks.music_generation.data.piece import KEYS
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.frame_network import echo_of, first_states, key_distribution, read_frames
from rnnapps.tasks.music_generation.frame_sampling import (
    begin_frames,
    continue_frames,
    last_frames,
    sample_frames,
)
from rnnapps.tasks.music_generation.metrics.frames import frame_nats
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.wishes import PLACES, ROWS, drawing, written
from rnnapps.types import Array, Tensor

__all__ = ["frame_endpoints"]

LAST_POSITION = 1 << 30
NEVER = -30.0
"""The logit of a key that must not be struck."""

MEANINGS = {
    "frames": "which of the 88 keys sound in each step of the grid (batch, time, keys), 0 or 1",
    "position": "number of the frame that is drawn, which with the seed decides its random numbers (batch,)",
    "next_frame": "the keys that sound in the frame that follows (batch, keys)",
    "nats": "minus the natural logarithm of each frame's probability (batch, time), zeros behind the row",
    "logits": "scores of each key in each frame, given those below it (batch, time, keys)",
    written("frames"): "the frames that follow (batch, time, keys)",
    written("lengths"): "how many of them there are (batch,)",
}
"""What inputs and outputs are."""


def frame_endpoints(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> dict[str, Endpoint]:
    """`continuation` goes on from frames, `tensors` scores pieces, `step` takes states."""
    return {
        "continuation": _continuing_frames(network, grid, limits),
        "tensors": _scoring_frames(network, limits),
        "step": _stepping_frames(network, grid, limits),
    }


def _continuing_frames(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> Endpoint:
    """Frames of primers in, the frames that follow them out."""

    def write(
        frames: Tensor, lengths: Tensor, *, steps: Tensor, temperature: Tensor, top_p: Tensor, seed: Tensor
    ) -> dict[str, Tensor]:
        rules = Rules(temperature, seed, top_p=top_p)
        context, states = begin_frames(network, frames, lengths)
        most, before = tf.reduce_max(steps), last_frames(frames, lengths)
        drawn, _, _ = continue_frames(network, context, states, rules, before=before, known=grid.known, steps=most)
        inside = tf.sequence_mask(steps, most)[..., None]
        return {
            written("frames"): tf.cast(tf.where(inside, drawn, 0.0), tf.int32),
            written("lengths"): tf.identity(steps),
        }

    primers = Endpoint(
        write,
        _frame_signature(),
        _frame_examples(),
        rules=_frame_rules(limits),
        most_steps={"frames": limits.longest_primer},
        summary="Frames of primers in, the frames that follow out.",
        meanings=MEANINGS,
    )
    return drawing(primers, most=limits.longest_answer)


def _scoring_frames(network: keras.Model, limits: MusicExportConfig) -> Endpoint:
    """Pieces in, nats of each of their frames out."""

    def score(frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        valid = tf.sequence_mask(lengths, tf.shape(frames)[1])
        frames = tf.where(valid[..., None], tf.cast(frames, tf.float32), 0.0)
        before = tf.pad(frames, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        contexts, _ = read_frames(network, before, lengths, first_states(network, tf.shape(frames)[0]))
        logits = key_distribution(network)(contexts, frames)
        mask = tf.cast(valid, tf.float32)
        return {"nats": frame_nats(logits, frames) * mask, "logits": logits * mask[..., None]}

    most = {"frames": limits.longest_primer}
    return Endpoint(
        score,
        _frame_signature(),
        _frame_examples(),
        rules=_frame_rules(limits),
        most_steps=most,
        summary="Frames of pieces in, how likely the model holds each out.",
        meanings=MEANINGS,
    )


def _stepping_frames(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> Endpoint:
    """Frames and states in, a frame that follows and new states out."""
    names, zeros = _states(network)

    def step(
        frames: Tensor,
        lengths: Tensor,
        *,
        temperature: Tensor,
        top_p: Tensor,
        seed: Tensor,
        position: Tensor,
        **states: Tensor,
    ) -> dict[str, Tensor]:
        rules = Rules(temperature, seed, top_p=top_p)
        contexts, final = read_frames(network, frames, lengths, [states[name] for name in names])
        context = tf.gather(contexts, lengths - 1, batch_dims=1)
        before = last_frames(frames, lengths)
        drawn = sample_frames(network, context, rules, before=before, known=grid.known, position=position)
        return {"next_frame": tf.cast(drawn, tf.int32), **dict(zip(map(next_state, names), final, strict=True))}

    chunks = Endpoint(
        step,
        {**_frame_signature(), "position": tf.TensorSpec((None,), tf.int32), **_specs_of(zeros)},
        {**_frame_examples(least=1), "position": np.array([0, 1, 2, 300, 7], np.int32), **zeros},
        rules=(*_frame_rules(limits, least=1), between("position", 0, LAST_POSITION)),
        one_step=True,
        most_steps={"frames": limits.longest_primer},
        summary="A chunk of frames and states in, a frame that follows and new states out.",
        meanings=MEANINGS,
        elsewhere=_key_by_key(network, grid, limits),
    )
    return drawing(chunks)


def _states(network: keras.Model) -> tuple[list[str], dict[str, Array]]:
    """Names of the states, and their values before the first frame of the example rows."""
    zeros = [np.asarray(state) for state in first_states(network, ROWS)]
    names = [f"{STATE}{number}" for number in range(len(zeros))]
    return names, dict(zip(names, zeros, strict=True))


def _specs_of(states: dict[str, Array]) -> dict[str, tf.TensorSpec]:
    """Their specifications."""
    return {name: tf.TensorSpec((None, *array.shape[1:]), array.dtype) for name, array in states.items()}


def _key_by_key(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> Endpoint:
    """Frames and states in, how likely each key of the next frame is out: drawing, key by key, is the client's.

    It is the network alone: how far it looks back would be most of its memory.
    """
    names, zeros = _states(network)
    if echo_of(network) is not None:
        zeros.pop(names.pop())
    known = tf.constant(grid.known)

    def step(frames: Tensor, lengths: Tensor, *, drawn: Tensor, **states: Tensor) -> dict[str, Tensor]:
        contexts, final = read_frames(network, frames, lengths, [states[name] for name in names], echo=False)
        context = tf.gather(contexts, lengths - 1, batch_dims=1)
        logits = key_distribution(network).given(context).logits(tf.cast(drawn, tf.float32))
        may = known | (last_frames(frames, lengths) > 0)
        return {"logits": tf.where(may, logits, NEVER), **dict(zip(map(next_state, names), final, strict=True))}

    drawn = (np.arange(ROWS * KEYS).reshape(ROWS, KEYS) % 31 == 0).astype(np.int32)
    return Endpoint(
        step,
        {**_frame_signature(), "drawn": tf.TensorSpec((None, KEYS), tf.int32), **_specs_of(zeros)},
        {**_frame_examples(least=1), "drawn": drawn, **zeros},
        rules=_frame_rules(limits, least=1),
        summary="A chunk of frames and states in, logits of the keys of the next frame and new states out.",
        meanings=MEANINGS
        | {
            "drawn": "which keys of the next frame are drawn already, from the lowest on (batch, keys), 0 or 1",
            "logits": "scores of each key of the next frame, given those below it that are drawn (batch, keys)",
        },
    )


def _frame_rules(limits: MusicExportConfig, *, least: int = 0) -> tuple[RowRule, ...]:
    """What must hold of frames and their lengths."""
    return lengths_fit("frames", least=least, most=limits.longest_primer), ids_below("frames", 2)


def _frame_signature() -> dict[str, tf.TensorSpec]:
    return {"frames": tf.TensorSpec((None, None, KEYS), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)}


def _frame_examples(*, least: int = 0) -> dict[str, Array]:
    """Chords that move, in rows of different lengths."""
    frames = np.zeros((ROWS, PLACES, KEYS), np.int32)
    for row in range(ROWS):
        for step in range(PLACES):
            frames[row, step, [27 + row, 39 + (row + step // 2) % 12, 43 + row]] = 1
    return {"frames": frames, "lengths": np.array([PLACES, least, 3, PLACES, 2], np.int32)}
