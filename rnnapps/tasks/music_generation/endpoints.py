"""Signatures of music models."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import generate
from rnnapps.export.row_rules import ids_below, lengths_fit
from rnnapps.export.token_endpoints import token_endpoints
from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.frame_endpoints import frame_endpoints
from rnnapps.tasks.music_generation.generation import begin_events, event_step
from rnnapps.tasks.music_generation.midi_endpoint import midi_endpoint
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.wishes import PLACES, ROWS, drawing, written
from rnnapps.types import Tensor

__all__ = ["music_endpoints"]

MEANINGS = {
    "tokens": "ids of events (batch, time): notes on and off, velocities, shifts of time",
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
    endpoints = frame_endpoints(network, grid, limits)
    return {"serving_default": midi_endpoint(endpoints["continuation"], grid, limits), **endpoints}


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
    primers = Endpoint(
        write,
        {"tokens": tf.TensorSpec((None, None), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)},
        {"tokens": tokens, "lengths": np.array([PLACES, 0, 3, 1, 2], np.int32)},
        rules=(lengths_fit("tokens", most=limits.longest_primer), ids_below("tokens", grid.tokens)),
        most_steps={"tokens": limits.longest_primer},
        summary="Events of primers in, the events that follow out.",
        meanings=MEANINGS,
    )
    return drawing(primers, most=limits.longest_answer)
