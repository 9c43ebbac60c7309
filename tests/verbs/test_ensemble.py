"""Runs joined to one: its answers are the mean of theirs, and what cannot be joined is refused in one line."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import rnnapps
from rnnapps.cli.main import main
from rnnapps.contract.fitted import Fitted
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.layers.side_by_side import apart, first_of, log_mean, members_of, require_equal
from rnnapps.verbs.configure import configure, read_configuration
from rnnapps.verbs.ensemble import ensemble
from rnnapps.verbs.opening import open_model
from rnnapps.verbs.pipelines import PIPELINE_GROUP
from tests.cli.tiny_pipeline import TINY
from tests.tasks.command import skip_report
from tests.verbs.joined import JOINED as PIPELINE
from tests.verbs.joined import fit
from tests.verbs.tiny import TinyModel


@pytest.fixture(autouse=True)
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[TinyModel]:
    """Two seeds, of different sizes and cells."""
    folder = tmp_path_factory.mktemp("members")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        return [
            fit(folder / "first", steps=2, seed=1, model={"units": 5}),
            fit(folder / "second", steps=2, seed=2, model={"units": 4, "cell": "lstm"}),
        ]


@pytest.fixture(scope="module")
def joint(members: list[TinyModel]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        folder = members[0].path.parent / "joint"
        return ensemble(PIPELINE, [model.path for model in members], folder)


def probabilities(network: Any) -> np.ndarray[Any, Any]:
    """Of the next letter behind "ab" and "bc"."""
    states = [tf.zeros((2, *state.shape[1:])) for state in network.input["states"]]
    outputs = network({"tokens": tf.constant([[0, 1], [1, 2]]), "states": states}, training=False)
    return np.asarray(tf.nn.softmax(outputs["logits"]))


def test_its_answers_are_the_mean_of_the_probabilities(members: list[TinyModel], joint: Any) -> None:
    expected = np.mean([probabilities(model.network) for model in members], axis=0)
    np.testing.assert_allclose(probabilities(joint.model.fitted.network), expected, rtol=1e-5)
    assert abs(expected - probabilities(members[0].network)).max() > 1e-3


def test_its_states_are_those_of_all_members(members: list[TinyModel], joint: Any) -> None:
    """A gated recurrent unit has one, a long short-term memory two; each goes on from its own."""
    network = joint.model.fitted.network
    assert [state.shape[1] for state in network.input["states"]] == [5, 4, 4]
    tokens = tf.constant([[0, 1, 2]])
    whole = network({"tokens": tokens, "states": [tf.zeros((1, size)) for size in (5, 4, 4)]}, training=False)
    states = [tf.zeros((1, size)) for size in (5, 4, 4)]
    for place in range(3):
        outputs = network({"tokens": tokens[:, place : place + 1], "states": states}, training=False)
        states = outputs["states"]
    np.testing.assert_allclose(outputs["logits"][:, 0], whole["logits"][:, -1], rtol=1e-5, atol=1e-6)


def test_the_run_is_opened_scored_and_told_like_any_other(members: list[TinyModel], joint: Any) -> None:
    path = joint.model.path
    config = configure(PIPELINE, read_configuration(PIPELINE, path), {})
    opened = open_model(PIPELINE, path, config)
    for ours, theirs in zip(opened.fitted.network.weights, joint.model.fitted.network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert len({weight.path for weight in opened.fitted.network.weights}) == len(opened.fitted.network.weights)
    score = joint.evaluation.metrics["nats_per_letter"]
    assert score == pytest.approx(joint.facts["validation_nats_per_letter"], rel=1e-6)
    # The probability of what came is the mean of two, whose logarithm is at least the mean of theirs.
    fitted = [Fitted(own.config, own.preprocessor, own.network) for own in members]
    alone = [PIPELINE.evaluate(own, joint.splits).metrics["nats_per_letter"] for own in fitted]
    assert score <= np.mean(alone) + 1e-6
    card = rnnapps.Model(PIPELINE, joint.model).card
    assert "ensemble of" in card and "2 networks" in card


def test_an_export_holds_all_members(joint: Any, members: list[TinyModel], tmp_path: Path) -> None:
    """Its file of members makes it one model again."""
    from rnnapps.verbs.members import members_text, read_members

    stored = joint.model.path / "ensemble.json"
    read = read_members(PIPELINE, stored)
    assert [member.config for member in read] == [model.config for model in members]
    assert members_text(read) == stored.read_text()
    (tmp_path / "ensemble.json").write_text('{"members": 3}')
    with pytest.raises(CheckpointError, match=r"ensemble.json: cannot be read \(TypeError\); join the runs again"):
        read_members(PIPELINE, tmp_path / "ensemble.json")


def test_what_cannot_be_joined_is_refused(
    members: list[TinyModel], joint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (model.path for model in members)
    other, turned = (shutil.copytree(first, tmp_path / name) for name in ("other", "turned"))
    (other / "preprocessing" / "letters.json").write_text('"abcd"')
    digests = {turned: "cab"}
    monkeypatch.setattr("rnnapps.verbs.ensemble.trained_digest", lambda folder: digests.get(folder.path, "abc"))
    cases = [
        ([first], ConfigError, "an ensemble is made of two runs or more, each named once"),
        ([first, first], ConfigError, "each named once"),
        ([first, tmp_path / "absent"], CheckpointError, "absent: not a run folder"),
        ([first, joint.model.path], ConfigError, "joint: is an ensemble itself; name the runs that it was made of"),
        ([first, other], ConfigError, r"other: its preprocessing \(letters.json: vocabulary, classes, scales"),
        ([first, turned], ConfigError, "turned: was trained on other data than .*first, or split them otherwise"),
    ]
    for paths, kind, message in cases:
        with pytest.raises(kind, match=message) as caught:
            ensemble(PIPELINE, paths, tmp_path / "new")
        assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="second: exists already"):
        ensemble(PIPELINE, [first, second], second)
    with pytest.raises(ConfigError, match="tiny has no ensembles"):
        TINY.join([])
    assert not (tmp_path / "new").exists()


def test_an_ensemble_is_not_trained(joint: Any, tmp_path: Path) -> None:
    path = joint.model.path
    with pytest.raises(ConfigError, match="joint: is an ensemble, which is not trained; train its members"):
        fit(path, steps=8, seed=1, model={"units": 5})
    with pytest.raises(ConfigError, match="joint: is an ensemble, which is not trained"):
        rnnapps.Model(PIPELINE, joint.model).finetune("abc", run=tmp_path / "tuned")


def test_the_command_joins_runs_and_says_what_to_do_next(
    members: list[TinyModel], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("joined", "tests.verbs.joined:JOINED", PIPELINE_GROUP)
    monkeypatch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [entry])
    runs = [model.path for model in members]
    words = ["ensemble", *map(str, runs), "--to", str(tmp_path / "both")]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["members"] == 2 and told["evaluation"]["metrics"]["nats_per_letter"] > 0
    assert main(words) == 2
    assert "both: exists already; name a new folder with --to" in capsys.readouterr().err
    written = rnnapps.load(tmp_path / "both").predict("a")
    assert rnnapps.ensemble(runs, run=tmp_path / "python").predict("a") == written


def test_parts_of_an_ensemble() -> None:
    logits = [tf.math.log([0.2, 0.8]), tf.math.log([0.6, 0.4]) + 3]
    np.testing.assert_allclose(tf.exp(log_mean(logits)), [0.4, 0.6], rtol=1e-6)
    assert apart("abcde", [1, 0, 3, 1]) == [["a"], [], ["b", "c", "d"], ["e"]]
    config = TINY.config_class()
    network = TINY.build_model(config, TINY.fit_preprocessor(config, TINY.examples(config)))
    assert members_of(network) == [] and first_of(network) is network
    configs = [config.model, config.model]
    require_equal(configs, ("units", "cell"))
    with pytest.raises(ConfigError, match=r"members of an ensemble must be of one model.cell, not gru and lstm"):
        require_equal([configs[0], type(configs[0])(cell="lstm")], ("layers", "cell"))
