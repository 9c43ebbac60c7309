"""Settings and options as Python users give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.export.manifest import Manifest, write_manifest
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE as ANOMALIES
from rnnapps.tasks.forecasting.pipeline import PIPELINE as FORECASTING
from rnnapps.tasks.music_generation.pipeline import PIPELINE as MUSIC
from rnnapps.tasks.speech_recognition.pipeline import PIPELINE as SPEECH
from rnnapps.tasks.text_generation.pipeline import PIPELINE as TEXT
from rnnapps.tasks.translation.pipeline import PIPELINE as TRANSLATION
from rnnapps.tasks.video_recognition.pipeline import PIPELINE as VIDEO
from rnnapps.verbs import settings
from rnnapps.verbs.configure import applied_groups, configure, option_names, read_configuration, read_options
from tests.cli.tiny_pipeline import TINY, Config
from tests.cli.toy_pipeline import Toy


def problem(given: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        configure(TINY, {}, given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"model": {"units": 3, "cell": "mgu"}, "training": {"steps": 7}},
        {"model.units": 3, "model.cell": "mgu", "training.steps": 7},
        {"model": {"units": 3}, "model.cell": "mgu", "steps": 7},
        {"model": {"units": np.int64(3), "cell": np.str_("mgu")}, "steps": np.int32(7)},
    ],
    ids=["groups", "dotted", "bare", "of NumPy"],
)
def test_settings_come_as_groups_dotted_and_bare(given: dict[str, Any]) -> None:
    config = configure(TINY, {}, given)
    assert (config.model.units, config.model.cell, config.training.steps) == (3, "mgu", 7)


def test_what_is_not_given_has_the_pipelines_own_default() -> None:
    assert configure(TINY, {}, {}) == Config()
    assert configure(TINY, {}, {"steps": 3}).training.batch_size == Config().training.batch_size == 4
    assert configure(TRANSLATION, {}, {"steps": 3}).training.carry_state is False


def test_given_settings_override_the_base() -> None:
    config = configure(TINY, {"model.units": 5, "seed": 2}, {"seed": 9, "data": {"source": Path("letters")}})
    assert (config.model.units, config.seed, config.data.source) == (5, 9, "letters")
    assert configure(Toy(), {}, {"data.parts": (0.5, np.float64(0.25))}).data.parts == (0.5, 0.25)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stpes": 3}, "tiny has no setting 'stpes'; did you mean 'steps'?"),
        ({"cell": "mgu"}, "tiny has no setting 'cell'; did you mean 'model.cell'?"),
        ({"training.step": 3}, "tiny has no setting 'training.step'; did you mean 'training.steps'?"),
        ({"model": {"unit": 3}}, "tiny has no setting 'model.unit'; did you mean 'model.units'?"),
        ({"modle": {"units": 3}}, "tiny has no setting 'modle'"),
        ({"model": "lstm"}, "model is a group of settings, model={NAME: VALUE}; 'lstm' is no mapping"),
        ({"steps": "many"}, "given from Python: training.steps must be a whole number, not 'many'"),
        ({"steps": 1.5}, "given from Python: training.steps must be a whole number, not '1.5'"),
        ({"optimizer": "adm"}, "training.optimizer must be one of sgd, adam, adamw, rmsprop, not 'adm'"),
        ({"steps": 0}, "training.steps must be at least 1, not 0"),
        ({"model.dropout": 2}, "model.dropout must be at least 0 and below 1, not 2"),
    ],
)
def test_wrong_settings_are_one_line_with_a_hint(given: dict[str, Any], message: str) -> None:
    assert message in problem(given)


def test_what_says_how_a_model_is_applied() -> None:
    assert applied_groups(TRANSLATION) == {"decoding"} == applied_groups(TRANSLATION, "stream")
    assert applied_groups(SPEECH, "predict") == {"decoding"}
    assert applied_groups(SPEECH, "stream") == frozenset()  # greedy, whatever the settings say
    assert applied_groups(TINY) == frozenset()


def test_the_first_option_names_the_input() -> None:
    assert option_names(TEXT)[:2] == ["prompt", "prompts"]  # its own come before those of sampling that it inherits
    assert set(option_names(TEXT)) == set(settings.setting_types(TEXT.predict_class))
    assert option_names(TRANSLATION)[0] == "sentence"


def test_options_have_defaults_and_their_own_checks() -> None:
    assert read_options(TEXT, {}) == TEXT.predict_class()
    assert read_options(TEXT, {"temperature": 1, "samples": np.int64(2)}).samples == 2
    with pytest.raises(ConfigError, match="length must be from 1 to 10,000, not 0"):
        read_options(TEXT, {"length": 0})
    with pytest.raises(ConfigError, match=r"text_generation has no option 'promt' of predict; did you mean 'prompt'\?"):
        read_options(TEXT, {"promt": "a"})
    with pytest.raises(ConfigError, match=r"stream has no option .decoding\.beam_width.: it is one of predict"):
        read_options(SPEECH, {"decoding.beam_width": 4}, "stream")
    with pytest.raises(ConfigError, match="temperature must be a number, not 'warm'"):
        read_options(TEXT, {"temperature": "warm"})


def test_a_configuration_is_read_from_a_file_a_run_or_an_export(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("pipeline: tiny\nmodel: {units: 3}\n")
    extra = tmp_path / "models" / "10" / "assets.extra"
    extra.mkdir(parents=True)
    (extra / "config.yaml").write_text("model: {units: 4}\n")
    write_manifest(extra.parent, Manifest("models", "", {}, {}))
    assert read_configuration(TINY, file) == read_configuration(TINY, tmp_path) == {"model.units": 3}
    assert read_configuration(TINY, tmp_path / "models") == {"model.units": 4}
    with pytest.raises(ConfigError, match=r"none: holds no configuration; name a run folder, an export or a YAML"):
        read_configuration(TINY, tmp_path / "none")
    with pytest.raises(ConfigError, match=r"line 1: this is for the pipeline 'tiny', not 'text_generation'"):
        read_configuration(TEXT, file)


@pytest.mark.parametrize(
    ("pipeline", "settings", "message"),
    [
        (SPEECH, {"data.test": "a", "data.test_fraction": 0.3}, "data.test gives those examples"),
        (
            TRANSLATION,
            {"data.validation": "a", "data.validation_fraction": 0.3},
            "data.validation gives those examples",
        ),
        (MUSIC, {"data.test": "a", "data.test_fraction": 0.3}, "data.test gives those examples"),
        (VIDEO, {"data.test": "a", "data.test_fraction": 0.3}, "data.test gives those examples"),
        (
            FORECASTING,
            {"data.validation_from": "2024-01-01", "data.test_from": "2024-02-01", "data.test_fraction": 0.3},
            "data.validation_from and data.test_from say where the parts begin",
        ),
        (
            FORECASTING,
            {"data.test_rows": 48, "data.test_fraction": 0.3},
            "data.test_rows counts the rows of the parts",
        ),
        (
            ANOMALIES,
            {"model.detector": "classifier", "detection.aggregate": "mean"},
            "model.detector classifier does not read it",
        ),
        (
            ANOMALIES,
            {"model.detector": "autoencoder", "training.window_steps": 30},
            "model.detector autoencoder does not read it",
        ),
    ],
)
def test_a_setting_that_nobody_would_read_is_refused(
    pipeline: Pipeline[Any, Any, Any], settings: dict[str, Any], message: str
) -> None:
    key, value = list(settings.items())[-1]
    with pytest.raises(ConfigError, match=f"{key} {value} would change nothing: {message}"):
        configure(pipeline, {}, settings)


@pytest.mark.parametrize(
    ("pipeline", "verb", "options", "message"),
    [
        (VIDEO, "stream", {"video": "a.mp4", "seconds": 2}, "seconds stops a camera, and there is none"),
        (MUSIC, "predict", {"synthesizer": "additive"}, "synthesizer must be left out without an output"),
        (MUSIC, "stream", {"tempo_bpm": 60.0}, "stream has no option 'tempo_bpm': it is one of predict"),
        (MUSIC, "predict", {"soundfont": "a.sf2"}, "soundfont must be left out without an output"),
    ],
)
def test_an_option_that_nobody_would_read_is_refused(
    pipeline: Pipeline[Any, Any, Any], verb: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_options(pipeline, options, verb)
