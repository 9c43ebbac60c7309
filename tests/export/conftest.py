from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.row_rules import between, is_text
from rnnapps.export.saved_model import export
from rnnapps.reports.model_card import ModelCard

PROMPTS = np.array([b"a", b"", "ä é".encode(), b"x\x00", b"hello world " * 10], dtype=object)


class Words:
    """A preprocessor with a lookup table, which the graph must carry."""

    def __init__(self) -> None:
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([1, 2]))
        self.table = tf.lookup.StaticHashTable(pairs, default_value=0)

    def save(self, folder: Path) -> None:
        (folder / "words.json").write_text('["a", "b"]')


def small_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    state = keras.Input((8,), name="state")
    embedded = keras.layers.Embedding(10, 4, name="embedding")(tokens)
    recurrent = keras.layers.GRU(8, return_sequences=True, return_state=True, name="recurrent")
    sequence, last = recurrent(embedded, initial_state=state)
    outputs = {"logits": keras.layers.Dense(10, name="head")(sequence), "state": last}
    return keras.Model({"tokens": tokens, "state": state}, outputs)


def text_endpoint(words: Words) -> Endpoint:
    def function(prompt: Any) -> dict[str, Any]:
        return {
            "text": tf.strings.upper(prompt),
            "word": words.table.lookup(prompt),
            "wave_bytes": tf.strings.join([prompt, tf.constant(b"\xff\x00")]),
        }

    signature = {"prompt": tf.TensorSpec((None,), tf.string)}
    return Endpoint(function, signature, {"prompt": PROMPTS}, rules=(is_text("prompt"),))


def step_endpoint(network: keras.Model) -> Endpoint:
    def function(tokens: Any, state_0: Any) -> dict[str, Any]:
        outputs = network({"tokens": tokens, "state": state_0})
        return {"logits": outputs["logits"], "next_state_0": outputs["state"]}

    signature = {"tokens": tf.TensorSpec((None, 4), tf.int32), "state_0": tf.TensorSpec((None, 8), tf.float32)}
    tokens = np.arange(24, dtype=np.int32).reshape(6, 4) % 10
    examples = {"tokens": tokens, "state_0": np.zeros((6, 8), np.float32)}
    return Endpoint(function, signature, examples, rules=(between("tokens", 0, 9),))


def float_endpoint(function: Callable[..., Any], shape: tuple[int | None, ...] = (None, 3)) -> Endpoint:
    """An endpoint from one float input `x`."""
    values = np.arange(15, dtype=np.float32).reshape(5, 3) / 7
    return Endpoint(function, {"x": tf.TensorSpec(shape, tf.float32)}, {"x": values})


def empty_network() -> keras.Model:
    inputs = keras.Input((3,), name="x")
    return keras.Model(inputs, keras.layers.Dense(1)(inputs))


def export_one(folder: Path, endpoint: Endpoint, **options: Any) -> Path:
    """Exports `serving_default` only."""
    card = ModelCard("toy")
    endpoints = {"serving_default": endpoint}
    return export(endpoints, empty_network(), None, folder, config_yaml="", model_card=card, **options)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good export of two signatures; tests copy it before they change it."""
    network, words = small_network(), Words()
    endpoints = {"serving_default": text_endpoint(words), "step": step_endpoint(network)}
    base = tmp_path_factory.mktemp("models") / "toy"
    card = ModelCard("toy", task="Text in, text out.", limitations=("It is a toy.",))
    return export(endpoints, network, words, base, config_yaml="model:\n  units: 8\n", model_card=card, warmup=7)


@pytest.fixture
def version(exported: Path, tmp_path: Path) -> Path:
    """A copy of the export, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "toy" / "1"))
