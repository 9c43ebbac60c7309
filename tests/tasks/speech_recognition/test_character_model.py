"""A character model beside the sound, against the network it was exported from and every transcript there is."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import TokenModelConfig
from rnnapps.errors import ConfigError, ExportError
from rnnapps.export.saved_model import export
from rnnapps.layers.token_network import TokenModel, read, token_network, zero_states
from rnnapps.reports.model_card import ModelCard
from rnnapps.tasks.speech_recognition.character_model import CharacterModel
from rnnapps.tasks.speech_recognition.decoding.ctc_beam import beam_search
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet
from rnnapps.tasks.text_generation.endpoints import text_endpoints
from rnnapps.tasks.text_generation.export_config import TextExportConfig
from rnnapps.tasks.text_generation.tokens.characters import Characters

VOCABULARY, ALPHABET = Characters("\nXba "), Alphabet("ab")
TOKENS = {"\n": 1, "a": 4, "b": 3}
WIDTH = 8
"""Of the beam, and of the network's states: what belongs to rows must not be told by its shape."""


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    found = token_network(TokenModelConfig(units=WIDTH, layers=2, embedding_units=4, cell="gru"), VOCABULARY.size)
    for weight in found.weights:
        weight.assign(np.asarray(weight) * 3)
    return found


@pytest.fixture(scope="module")
def version(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, card = tmp_path_factory.mktemp("text") / "model", ModelCard("text_generation")
    endpoints = text_endpoints(TokenModel(network), VOCABULARY, TextExportConfig())
    return export(endpoints, network, VOCABULARY, folder, config_yaml="", model_card=card, warmup=0)


@pytest.fixture(scope="module")
def model(version: Path) -> CharacterModel:
    return CharacterModel(version, ALPHABET)


def log_probability(network: keras.Model, text: str) -> list[float]:
    """Of each character of a line, by the network itself."""
    tokens = [TOKENS[each] for each in "\n" + text]
    logits, _ = read(network, tf.constant([tokens]), tf.constant([len(tokens)]), zero_states(network, 1))
    scores = tf.nn.log_softmax(logits[0]).numpy()
    return [float(scores[place, TOKENS[each]]) for place, each in enumerate(text)]


def test_scores_are_those_of_the_network(network: keras.Model, model: CharacterModel) -> None:
    states, scores = model.initial(2), []
    for symbols in ([1, 2], [1, 1], [2, 1]):
        found = model.log_probabilities(states).numpy()
        scores.append([found[row, symbol] for row, symbol in enumerate(symbols)])
        states = model.advance(states, tf.constant(symbols))
    np.testing.assert_allclose(
        np.transpose(scores), [log_probability(network, "aab"), log_probability(network, "baa")], atol=1e-5
    )


def test_a_wide_beam_finds_the_best_transcript(network: keras.Model, model: CharacterModel) -> None:
    lengths, weight = (3, 2, 0), 0.8
    table = tf.nn.log_softmax(np.random.default_rng(1).normal(size=(3, 3, 3)).astype(np.float32))
    found, counts, scores = tf.function(beam_search, autograph=False)(
        table, tf.constant(lengths), width=WIDTH, language_model=model, weight=weight
    )
    for row, length in enumerate(lengths):
        expected = every_transcript(network, table[row].numpy(), length, weight)
        best = max(expected, key=expected.__getitem__)
        written = "".join("-ab"[symbol] for symbol in found[row, 0, : int(counts[row, 0])].numpy())
        assert written == best
        np.testing.assert_allclose(scores[row, 0], expected[best], atol=1e-4)


def every_transcript(network: keras.Model, scores: Any, length: int, weight: float) -> dict[str, float]:
    sound: dict[str, float] = {}
    for path in itertools.product(range(3), repeat=length):
        text = "".join("-ab"[symbol] for symbol, _ in itertools.groupby(path) if symbol)
        score = float(sum(scores[time, symbol] for time, symbol in enumerate(path)))
        sound[text] = float(np.logaddexp(sound.get(text, -np.inf), score))
    return {text: score + weight * sum(log_probability(network, text)) for text, score in sound.items()}


def test_what_does_not_fit_is_told(version: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not know 'c' 'é'; train it on text like the transcripts"):
        CharacterModel(version, Alphabet("abcé"))
    with pytest.raises(ConfigError, match="this recogniser was trained on words"):
        CharacterModel(version, Alphabet(["one"], "words"))
    with pytest.raises(ExportError, match="none"):
        CharacterModel(tmp_path / "none", ALPHABET)
    other = tmp_path / "model" / "1"
    shutil.copytree(version, other)
    pieces = other / "assets.extra" / "preprocessing" / "pieces.json"
    pieces.write_text("{}")
    with pytest.raises(ConfigError, match=r"data\.tokens words or subwords.*train one with --data\.tokens characters"):
        CharacterModel(other, ALPHABET)
    pieces.unlink()
    (other / "assets.extra" / "preprocessing" / "characters.json").unlink()
    with pytest.raises(ExportError, match=r"characters\.json"):
        CharacterModel(other, ALPHABET)
