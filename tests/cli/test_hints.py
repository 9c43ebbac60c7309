"""What is said about flags that a verb does not have."""

from __future__ import annotations

import re

import pytest

from rnnapps.cli.arguments import parse_arguments
from rnnapps.cli.hints import MEANINGS
from rnnapps.cli.verb_table import VERBS
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.pipeline import PIPELINE as TEXT
from rnnapps.tasks.translation.pipeline import PIPELINE as TRANSLATION
from rnnapps.verbs.settings import setting_types
from tests.cli.toy_pipeline import Toy


def failure(pipeline: Pipeline, *argv: str) -> str:
    """The one line that a command ends with."""
    with pytest.raises(ConfigError) as caught:
        parse_arguments(pipeline, argv[0], argv[1:])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("train --device cuda", "unknown flag '--device'; the device is chosen by TensorFlow: CUDA_VISIBLE_DEVICES="),
        ("predict --run r --gpu 0", "unknown flag '--gpu'; the device is chosen by TensorFlow"),
        ("train --epochs 3", "training is counted in updates: --training.steps"),
        ("train --epochs=3", "training is counted in updates: --training.steps"),
        ("train --lr 0.1", "the peak learning rate is --training.learning_rate"),
        ("train --hidden 8", "the size of a layer is --model.units"),
        ("train --input a.txt", "unknown flag '--input'; where the examples come from: --data.source"),
        ("train --checkpoint c", "a run folder holds its checkpoints: --run"),
        ("predict --run r --input a", "unknown flag '--input'; the input is --prompt, see rnnapps toy predict --help"),
        ("predict --run r --sentence a", "the input is --prompt"),
    ],
)
def test_what_other_programs_have_is_told_by_its_meaning(argv: str, message: str) -> None:
    assert message in failure(Toy(), *argv.split())


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("train --prompt a", "train has no --prompt: it is a flag of predict and stream"),
        ("train --to saved_models/toy", "train has no --to: it is a flag of export"),
        ("evaluate --run r --freeze a", "evaluate has no --freeze: it is a flag of finetune"),
        ("predict --run r --from r", "predict has no --from: it is a flag of finetune"),
        (
            "export --run r --to m --config demo",
            "export has no --config: it is a flag of data, train, finetune and tune",
        ),
    ],
)
def test_a_flag_of_another_verb_is_told_with_its_verbs(argv: str, message: str) -> None:
    assert message in failure(Toy(), *argv.split())


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("evaluate --run r --model.units 3", "evaluate does not take --model.units: the run already fixes it"),
        ("predict --run r --data.source a", "predict does not take --data.source: the run already fixes it"),
        ("predict --run r --training.steps 3", "it has no use for it; data, train, finetune, tune do"),
        ("predict --run r --export.warmup_requests 3", "it has no use for it; data, train, finetune, tune, export do"),
        ("predict --run r --seed 3", "predict does not take --seed: the run already fixes it"),
    ],
)
def test_a_setting_that_a_verb_leaves_alone_is_told_with_the_reason(argv: str, message: str) -> None:
    assert message in failure(Toy(), *argv.split())


def test_the_seed_of_sampling_is_an_option_of_predict() -> None:
    assert parse_arguments(TEXT, "predict", ["--run", "r", "--seed", "3"]).predict.seed == 3


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("train --modle.cell lstm", "unknown flag '--modle.cell'; did you mean '--model.cell'?"),
        ("train --patience 3", "unknown flag '--patience'; did you mean '--training.patience'?"),
        ("train --zzzzzz 3", "unknown flag '--zzzzzz'; see rnnapps toy train --help"),
        (
            "predict --run r two words",
            "unexpected 'two': values with spaces need quotes, and every flag starts with --",
        ),
    ],
)
def test_the_rest_is_told_with_the_nearest_flag(argv: str, message: str) -> None:
    assert message in failure(Toy(), *argv.split())


def test_a_pipeline_is_told_by_its_own_words() -> None:
    assert "the input is --sentence" in failure(TRANSLATION, "predict", "--run", "r", "--text", "a")
    assert "did you mean '--decoding.beam_width'?" in failure(TRANSLATION, "predict", "--run", "r", "--beam_width", "3")


def test_meanings_name_settings_and_flags_that_exist() -> None:
    known = {*setting_types(TEXT.config_class), *(flag for verb in VERBS.values() for flag in verb.flags)}
    for name, meaning in MEANINGS.items():
        assert name not in known
        assert set(re.findall(r"--([a-z_.]+[a-z_])", meaning)) <= known, meaning
