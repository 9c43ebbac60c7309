"""What translation models serve: several signatures that must agree with one another."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import START
from rnnapps.tasks.translation.endpoints import translation_endpoints
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.model_config import DecodingConfig, TranslationModelConfig
from rnnapps.tasks.translation.network import translation_network
from rnnapps.tasks.translation.vocabularies import PairVocabularies

SOURCE, TARGET = (PieceVocabulary(list(letters), unit="character") for letters in ("abcdefg", "uvwxy"))
VOCABULARIES = PairVocabularies(SOURCE, TARGET)
DECODING = DecodingConfig(beam_width=3, length_penalty=0.6)
VARIANTS: dict[str, dict[str, Any]] = {
    "context layers": {"context_layers": 1, "layers": 2},
    "input feeding": {"input_feeding": True, "attention": "additive", "cell": "lstm"},
}


def build(variant: str) -> dict[str, Endpoint]:
    keras.utils.set_random_seed(3)
    sizes = {"units": 6, "encoder_units": 5, "embedding_units": 4}
    config = TranslationModelConfig(**{**sizes, **VARIANTS[variant]})
    network = translation_network(config, VOCABULARIES.source.size, VOCABULARIES.target.size)
    for weight in network.weights:
        weight.assign(weight * 3)  # so that choices differ
    return translation_endpoints(network, VOCABULARIES, DECODING, TranslationExportConfig())


@pytest.fixture(scope="module", params=VARIANTS)
def endpoints(request: pytest.FixtureRequest) -> dict[str, Endpoint]:
    return build(request.param)


def run(endpoint: Endpoint, **inputs: Any) -> dict[str, Any]:
    specs = endpoint.input_signature
    found = endpoint.function(**{name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def test_parts_of_an_answer_agree(endpoints: dict[str, Endpoint]) -> None:
    sentences = [b"abc", b"", "g☃f".encode(), b"fedcbafg"]
    answer = run(endpoints["serving_default"], sentence=sentences)
    lengths, pieces = answer["target_lengths"], answer["target_pieces"]
    assert pieces.shape[1] == max(lengths) == answer["attention"].shape[1] - 1, "not as wide as what was not chosen"
    for row, text in enumerate(answer["translation"]):
        assert b"".join(pieces[row, : lengths[row]]).removeprefix(b" ") == text
        assert not any(pieces[row, lengths[row] :])
        if sentences[row]:
            norm = ((5 + lengths[row] + 1) / 6) ** 0.6
            assert answer["log_probabilities"][row].sum() / norm == pytest.approx(answer["score"][row], abs=1e-5)
        places = answer["source_lengths"][row]
        np.testing.assert_allclose(answer["attention"][row, : lengths[row] + 1].sum(axis=-1), 1, atol=1e-5)
        assert not answer["attention"][row, :, places:].any() and not answer["attention"][row, lengths[row] + 1 :].any()
    assert b"".join(answer["source_pieces"][3]) == b" fedcbafg", "a piece that begins a word has a space"
    np.testing.assert_array_equal(answer["translations"][:, 0], answer["translation"])
    assert (np.diff(answer["scores"][[0, 2, 3]], axis=1) <= 0).all()
    again = run(endpoints["n_best"], sentence=sentences, length_penalty=[0.6] * 4)
    np.testing.assert_array_equal(again["translations"], answer["translations"])


def test_texts_score_as_their_ids(endpoints: dict[str, Endpoint]) -> None:
    sentences, translations = [b"abc", b"", b"fedcbafg"], [b"uvw", b"y", b""]
    sides = zip(("source", "target"), (SOURCE, TARGET), (sentences, translations), strict=True)
    ids = {}
    for side, vocabulary, texts in sides:
        ids[side], ids[f"{side}_lengths"] = vocabulary.encode(tf.constant(texts))
    judged = run(endpoints["score"], sentence=sentences, translation=translations)
    expected = run(endpoints["score_tensors"], **ids)
    np.testing.assert_allclose(judged["log_probabilities"], -expected["nats"], atol=1e-5)
    np.testing.assert_allclose(judged["log_probability"], -expected["nats"].sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(judged["attention"], expected["attention"], atol=1e-5)
    assert [b"".join(row) for row in judged["target_pieces"]] == [b" uvw", b" y", b""]


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1), (2, 0, 3), (5,)])
def test_any_chunks_give_the_whole(endpoints: dict[str, Endpoint], cuts: tuple[int, ...]) -> None:
    """Rows end in different chunks, and what lies behind their ends is no id at all."""
    source = {"source": [[4, 5, 6, 9], [7, 99, 99, 99], [10, 4, 99, 99]], "source_lengths": [4, 1, 2]}
    target, lengths = np.array([[4, 5, 6, 7], [8, 8, 8, 4], [5, 5, 5, 5]]), np.array([4, 2, 0])
    expected = run(endpoints["score_tensors"], **source, target=target, target_lengths=lengths)
    reads = np.concatenate([np.full((3, 1), START), target], axis=1)
    first = run(endpoints["encode"], **source)
    states = {name.removeprefix("next_"): value for name, value in first.items()}
    logits, place = [], 0
    for cut in cuts:
        chunk = np.where(np.arange(place, place + cut) <= lengths[:, None], reads[:, place : place + cut], -7)
        inside = np.clip(lengths + 1 - place, 0, cut)
        answer = run(endpoints["step"], tokens=chunk, lengths=inside, **states)
        states = {name: answer[f"next_{name}"] for name in states}
        logits.append(answer["logits"])
        place += cut
    together = np.concatenate(logits, axis=1)
    wanted = np.where(np.arange(4) < lengths[:, None], target, 0)
    wanted = np.concatenate([wanted, np.zeros((3, 1), int)], axis=1)
    wanted[np.arange(3), lengths] = 3  # the end
    logs = together - np.log(np.exp(together).sum(axis=-1, keepdims=True))
    for row, length in enumerate(lengths):
        nats = -logs[row, np.arange(length + 1), wanted[row, : length + 1]]
        np.testing.assert_allclose(nats, expected["nats"][row, : length + 1], atol=1e-5)
        assert not together[row, length + 1 :].any()
    kept = first["next_state_memory"]
    np.testing.assert_array_equal(states["state_memory"], kept)
    assert not kept[1, 2:].any() and kept[1, :2].any()
