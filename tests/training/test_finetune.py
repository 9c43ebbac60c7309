"""Fine-tuning: known rows stay bit-equal, everything else is accounted for."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.contract.vocabulary import VocabularyChange
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.training.finetune import TransferReport, freeze, transfer

UNITS = 3
AXES = {"embedding/embeddings": 0, "logits/kernel": 1, "logits/bias": 0}
OLD = ["unknown", "a", "b", "c"]


def build(vocabulary: int, *, units: int = UNITS, extra: bool = False, seed: int = 1) -> keras.Model:
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    hidden = keras.layers.Embedding(vocabulary, UNITS, name="embedding")(tokens)
    hidden = keras.layers.Dense(units, name="hidden")(hidden)
    if extra:
        hidden = keras.layers.Dense(units, name="extra")(hidden)
    logits = keras.layers.Dense(vocabulary, name="logits", bias_initializer="normal")(hidden)
    return keras.Model({"tokens": tokens}, {"logits": logits})


def weights(network: keras.Model) -> dict[str, np.ndarray[Any, Any]]:
    return {weight.path: weight.numpy() for weight in network.weights}


def test_known_entries_are_bit_equal_and_new_ones_near_the_mean() -> None:
    source = weights(build(4))
    network = build(6, seed=2)
    change = VocabularyChange(OLD, [*OLD, "ä", "ö"], AXES)
    report = transfer(network, source, vocabularies=[change], seed=3)
    assert report.grown == {path: 2 for path in AXES}
    assert report.loaded == ("hidden/kernel", "hidden/bias")
    assert (report.reset, report.frozen, report.unused) == ({}, (), ())
    now = weights(network)
    np.testing.assert_array_equal(now["embedding/embeddings"][:4], source["embedding/embeddings"])
    np.testing.assert_array_equal(now["logits/kernel"][:, :4], source["logits/kernel"])
    np.testing.assert_array_equal(now["logits/bias"][:4], source["logits/bias"])
    np.testing.assert_array_equal(now["hidden/kernel"], source["hidden/kernel"])
    rows = source["embedding/embeddings"].astype(np.float64)
    distance = np.abs(now["embedding/embeddings"][4:] - rows.mean(0)) / rows.std(0)
    assert 0 < distance.max() < 0.5  # noise of a tenth of the standard deviation
    assert "grown   logits/bias: 2 new entries" in report.lines()


def test_same_seed_same_new_entries() -> None:
    source, change = weights(build(4)), VocabularyChange(OLD, [*OLD, "ä"], AXES)
    results = []
    for seed in (3, 3, 4):
        network = build(5, seed=9)
        transfer(network, source, vocabularies=[change], seed=seed)
        results.append(weights(network)["embedding/embeddings"])
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0][4] != results[2][4]).all()


@given(new=st.lists(st.sampled_from("abcdefg"), unique=True, min_size=1))
def test_entries_follow_their_names_in_any_order(new: list[str]) -> None:
    old = list("abcd")
    source = {"logits/kernel": np.arange(8.0, dtype=np.float32).reshape(2, 4)}
    inputs = keras.Input((2,), name="x")
    network = keras.Model(inputs, keras.layers.Dense(len(new), use_bias=False, name="logits")(inputs))
    report = transfer(network, source, vocabularies=[VocabularyChange(old, new, {"logits/kernel": 1})])
    value = weights(network)["logits/kernel"]
    for column, name in enumerate(new):
        if name in old:
            np.testing.assert_array_equal(value[:, column], source["logits/kernel"][:, old.index(name)])
    unknown = len(set(new) - set(old))
    assert report.grown == ({"logits/kernel": unknown} if unknown else {})
    assert report.loaded == (() if unknown else ("logits/kernel",))


def test_what_does_not_fit_is_reported_and_left_alone() -> None:
    source = weights(build(4, extra=True)) | {"hidden/kernel": np.zeros((9, 9), np.float32)}
    del source["logits/bias"]
    network = build(4, seed=2)
    before = weights(network)
    report = transfer(network, source)
    assert report.reset == {
        "hidden/kernel": "shape [9, 9] in the source, [3, 3] here",
        "logits/bias": "the source has no weight of this name",
    }
    assert report.unused == ("extra/bias", "extra/kernel")
    for path in report.reset:
        np.testing.assert_array_equal(weights(network)[path], before[path])
    assert {*report.loaded, *report.grown, *report.reset} == set(before)


def test_grown_vocabulary_with_other_width_is_reset() -> None:
    report = transfer(build(5, units=2), weights(build(4)), vocabularies=[VocabularyChange(OLD, [*OLD, "d"], AXES)])
    assert report.reset["logits/kernel"] == "shape [3, 4] in the source, [2, 5] here"
    assert report.grown == {"embedding/embeddings": 1, "logits/bias": 1}


def test_nothing_fits() -> None:
    with pytest.raises(CheckpointError, match="no weight of the source fits"):
        transfer(build(4), {"embedding/embeddings": np.zeros((9, 9))})


def test_two_vocabularies_grow_side_by_side() -> None:
    source, network = weights(build(4)), build(4, seed=2)
    read = VocabularyChange(OLD, ["c", "b", "a", "unknown"], {"embedding/embeddings": 0})
    written = VocabularyChange(["w", "x", "y", "z"], ["w", "x", "y", "new"], {"logits/kernel": 1, "logits/bias": 0})
    report = transfer(network, source, vocabularies=[read, written])
    assert report.grown == {"logits/kernel": 1, "logits/bias": 1}
    now = weights(network)
    np.testing.assert_array_equal(now["embedding/embeddings"], source["embedding/embeddings"][::-1])
    np.testing.assert_array_equal(now["logits/kernel"][:, :3], source["logits/kernel"][:, :3])
    with pytest.raises(ConfigError, match="embedding/embeddings: is indexed by two vocabularies"):
        transfer(network, source, vocabularies=[read, read])


def test_unknown_vocabulary_path() -> None:
    change = VocabularyChange(OLD, OLD, {"logit/kernel": 1})
    with pytest.raises(ConfigError, match="logit/kernel: is no weight of the network; the nearest is 'logits/kernel'"):
        transfer(build(4), weights(build(4)), vocabularies=[change])


@pytest.mark.parametrize(
    ("pattern", "frozen"),
    [
        ("embedding", ["embedding/embeddings"]),
        ("h*", ["hidden/kernel", "hidden/bias"]),
        ("logits/bias", ["logits/bias"]),
        ("*/kernel", ["hidden/kernel", "logits/kernel"]),
    ],
)
def test_freezing(pattern: str, frozen: list[str]) -> None:
    network = build(4)
    assert freeze(network, [pattern]) == frozen
    assert {v.path for v in network.trainable_variables} == set(weights(network)) - set(frozen)


def test_frozen_weights_do_not_move_and_the_others_do() -> None:
    network = build(4)
    report = transfer(network, weights(network), freeze_layers=["embedding", "hidden"])
    assert report.frozen == ("embedding/embeddings", "hidden/kernel", "hidden/bias")
    before = weights(network)
    network.compile("sgd", "mse")
    network.fit({"tokens": np.array([[1, 2, 3]])}, {"logits": np.ones((1, 3, 4))}, verbose=0)
    moved = {path for path, value in weights(network).items() if (value != before[path]).any()}
    assert moved == {"logits/kernel", "logits/bias"}


def test_freezing_a_layer_inside_another() -> None:
    inner = keras.Sequential([keras.layers.Dense(2, name="first"), keras.layers.Dense(2, name="second")], name="stack")
    inputs = keras.Input((2,), name="x")
    network = keras.Model(inputs, inner(inputs))
    assert freeze(network, ["first"]) == ["stack/first/kernel", "stack/first/bias"]


def test_unknown_and_total_freezing() -> None:
    with pytest.raises(ConfigError, match="no layer is called 'embeding'; the nearest is 'embedding'"):
        freeze(build(4), ["embeding"])
    with pytest.raises(ConfigError, match="nothing to train"):
        freeze(build(4), ["*"])


def test_report_is_json() -> None:
    report = TransferReport(loaded=("a",), grown={"b": 1}, reset={"c": "why"}, frozen=("a",), unused=("d",))
    assert report.as_dict()["grown"] == {"b": 1}
    assert report.lines() == [
        "loaded  a",
        "grown   b: 1 new entries",
        "reset   c: why",
        "frozen  a",
        "unused  d of the source",
    ]
