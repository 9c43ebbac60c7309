"""Signatures of music models."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import STATE, STEPS, next_state
from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import generate
from rnnapps.export.row_rules import between, ids_below, lengths_fit
from rnnapps.export.token_endpoints import token_endpoints
from rnnapps.layers.token_network import TokenModel, zero_states
from rnnapps.tasks.music_generation.data.piece import KEYS
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.frame_network import key_distribution, read_frames
from rnnapps.tasks.music_generation.frame_sampling import (
    begin_frames,
    continue_frames,
    last_frames,
    sample_frames,
)
from rnnapps.tasks.music_generation.generation import begin_events, event_step
from rnnapps.tasks.music_generation.metrics.frames import frame_nats
from rnnapps.tasks.music_generation.midi_endpoint import midi_endpoint
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.wishes import DEFAULTS, WISHES, wishes, written
from rnnapps.types import Array, Tensor

__all__ = ["music_endpoints"]

ROWS, PLACES = 5, 6
LAST_POSITION = 1 << 30
MEANINGS = {
    "frames": "which of the 88 keys sound in each step of the grid (batch, time, keys), 0 or 1",
    "tokens": "ids of events (batch, time): notes on and off, velocities, shifts of time",
    "position": "number of the frame that is drawn, which with the seed decides its random numbers (batch,)",
    "next_frame": "the keys that sound in the frame that follows (batch, keys)",
    "nats": "minus the natural logarithm of each frame's probability (batch, time), zeros behind the row",
    "logits": "scores of each key in each frame, given those below it (batch, time, keys)",
    written("frames"): "the frames that follow (batch, time, keys)",
    written("tokens"): "ids of the events that follow (batch, time)",
    written("lengths"): "how many of them there are (batch,)",
}
"""What inputs and outputs are."""


def music_endpoints(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> dict[str, Endpoint]:
    """`serving_default` continues MIDI files, `continuation` arrays; `tensors` scores pieces, `step` takes states."""
    if grid.representation == "events":
        continuing = _continuing_events(network, grid, limits)
        own = {"serving_default": midi_endpoint(continuing, grid, limits), "continuation": continuing}
        return own | token_endpoints(TokenModel(network), most_steps=limits.longest_primer)
    continuing = _continuing_frames(network, grid, limits)
    return {
        "serving_default": midi_endpoint(continuing, grid, limits),
        "continuation": continuing,
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

    signature = {**_frame_signature(), STEPS: tf.TensorSpec((None,), tf.int32), **_sampling_signature()}
    steps = np.array([4, 1, 3, 2, 5], np.int32)
    return Endpoint(
        write,
        signature,
        {**_frame_examples(), STEPS: steps, **_sampling_examples()},
        rules=(*wishes(STEPS, limits.longest_answer), *_frame_rules(limits)),
        neutral=WISHES | {STEPS: 1},
        most_steps={"frames": limits.longest_primer},
        summary="Frames of primers in, the frames that follow out.",
        meanings=MEANINGS,
        defaults=DEFAULTS,
    )


def _scoring_frames(network: keras.Model, limits: MusicExportConfig) -> Endpoint:
    """Pieces in, nats of each of their frames out."""

    def score(frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        valid = tf.sequence_mask(lengths, tf.shape(frames)[1])
        frames = tf.where(valid[..., None], tf.cast(frames, tf.float32), 0.0)
        before = tf.pad(frames, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        contexts, _ = read_frames(network, before, lengths, zero_states(network, tf.shape(frames)[0]))
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
    sizes = [state.shape[-1] for state in network.input["states"]]
    names = [f"{STATE}{number}" for number in range(len(sizes))]

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

    kind = zero_states(network, 1)[0].dtype
    signature = {name: tf.TensorSpec((None, size), kind) for name, size in zip(names, sizes, strict=True)}
    zeros = {name: np.zeros((ROWS, size), kind.as_numpy_dtype) for name, size in zip(names, sizes, strict=True)}
    position = {"position": tf.TensorSpec((None,), tf.int32)}
    examples = {**_frame_examples(), "lengths": np.array([PLACES, 1, 3, PLACES, 2], np.int32), **_sampling_examples()}
    return Endpoint(
        step,
        {**_frame_signature(), **_sampling_signature(), **position, **signature},
        {**examples, "position": np.array([0, 1, 2, 300, 7], np.int32), **zeros},
        rules=(*wishes(), *_frame_rules(limits, least=1), between("position", 0, LAST_POSITION)),
        neutral=WISHES,
        most_steps={"frames": limits.longest_primer},
        summary="A chunk of frames and states in, a frame that follows and new states out.",
        meanings=MEANINGS,
        defaults=DEFAULTS,
    )


def _continuing_events(network: keras.Model, grid: MusicGrid, limits: MusicExportConfig) -> Endpoint:
    """Tokens of primers in, the tokens that follow them out."""

    def write(
        tokens: Tensor, lengths: Tensor, *, steps: Tensor, temperature: Tensor, top_p: Tensor, seed: Tensor
    ) -> dict[str, Tensor]:
        rules = Rules(temperature, seed, top_p=top_p)
        logits, states = begin_events(network, tokens, lengths)
        drawn, drawn_lengths = generate(event_step(network), states, logits, rules, length=steps)
        return {written("tokens"): drawn, written("lengths"): drawn_lengths}

    tokens = (np.arange(ROWS * PLACES, dtype=np.int32).reshape(ROWS, PLACES) * 7) % grid.tokens
    signature = {
        "tokens": tf.TensorSpec((None, None), tf.int32),
        "lengths": tf.TensorSpec((None,), tf.int32),
        STEPS: tf.TensorSpec((None,), tf.int32),
        **_sampling_signature(),
    }
    examples = {
        "tokens": tokens,
        "lengths": np.array([PLACES, 0, 3, 1, 2], np.int32),
        STEPS: np.array([4, 1, 9, 2, 5], np.int32),
        **_sampling_examples(),
    }
    primer = (lengths_fit("tokens", most=limits.longest_primer), ids_below("tokens", grid.tokens))
    return Endpoint(
        write,
        signature,
        examples,
        rules=(*wishes(STEPS, limits.longest_answer), *primer),
        neutral=WISHES | {STEPS: 1},
        most_steps={"tokens": limits.longest_primer},
        summary="Events of primers in, the events that follow out.",
        meanings=MEANINGS,
        defaults=DEFAULTS,
    )


def _frame_rules(limits: MusicExportConfig, *, least: int = 0) -> tuple[RowRule, ...]:
    """What must hold of frames and their lengths."""
    return lengths_fit("frames", least=least, most=limits.longest_primer), ids_below("frames", 2)


def _frame_signature() -> dict[str, tf.TensorSpec]:
    return {"frames": tf.TensorSpec((None, None, KEYS), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)}


def _frame_examples() -> dict[str, Array]:
    """Chords that move, in rows of different lengths."""
    frames = np.zeros((ROWS, PLACES, KEYS), np.int32)
    for row in range(ROWS):
        for step in range(PLACES):
            frames[row, step, [27 + row, 39 + (row + step // 2) % 12, 43 + row]] = 1
    return {"frames": frames, "lengths": np.array([PLACES, 0, 3, PLACES, 2], np.int32)}


def _sampling_signature() -> dict[str, tf.TensorSpec]:
    kinds = {"temperature": tf.float32, "top_p": tf.float32, "seed": tf.int64}
    return {name: tf.TensorSpec((None,), kind) for name, kind in kinds.items()}


def _sampling_examples() -> dict[str, Array]:
    return {
        "temperature": np.array([1.0, 0.0, 0.8, 1.0, 0.5], np.float32),
        "top_p": np.array([1.0, 1.0, 0.9, 0.95, 1.0], np.float32),
        "seed": np.array([1, 2, 3, 2**40, -5], np.int64),
    }
