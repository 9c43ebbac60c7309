"""Groups of settings come from the pipeline's own configuration; the pipeline says which of them a run fixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from rnnapps.cli.arguments import parse_arguments
from rnnapps.cli.verb_table import VERBS
from rnnapps.errors import ConfigError
from tests.cli.toy_pipeline import Config, Toy


@dataclass(frozen=True)
class LabelConfig:
    """Labels.

    Attributes:
        smoothing: share of a label's probability given to the others.
    """

    smoothing: float = 0.0


@dataclass(frozen=True)
class LabelledConfig(Config):
    """A toy with a group of its own.

    Attributes:
        labels: how labels are read.
    """

    labels: LabelConfig = field(default_factory=LabelConfig)


class Applied(Toy):
    """Labels say how a trained model is applied."""

    config_class = LabelledConfig  # type: ignore[assignment]


class Fixed(Applied):
    """Labels belong to a run."""

    run_fixes: ClassVar[frozenset[str]] = frozenset({"data", "model", "labels", "seed"})


class Predicted(Applied):
    """Labels say nothing to a stream."""

    predict_only: ClassVar[frozenset[str]] = frozenset({"labels"})


class Tried(Fixed):
    """Labels belong to a run; an evaluation may try others."""

    evaluate_tries: ClassVar[frozenset[str]] = frozenset({"data", "labels"})


NEEDED = {"evaluate": ["--run", "r"], "predict": ["--run", "r"], "stream": ["--run", "r"], "inspect": ["--run", "r"]}
NEEDED |= {"export": ["--run", "r", "--to", "t"], "finetune": ["--from", "r"], "train": [], "tune": [], "data": []}


def takers(pipeline: Toy) -> set[str]:
    """The verbs that take a flag of the group."""
    found = set()
    for verb in VERBS:
        try:
            config: Any = parse_arguments(pipeline, verb, [*NEEDED[verb], "--labels.smoothing", "0.1"]).config
        except ConfigError as error:
            assert str(error).startswith(f"{verb} does not take --labels.smoothing: ")
            continue
        assert config.labels.smoothing == 0.1
        found.add(verb)
    return found


@pytest.mark.parametrize(
    ("pipeline", "verbs"),
    [
        (Applied(), {"data", "train", "finetune", "tune", "evaluate", "predict", "stream", "export"}),
        (Predicted(), {"data", "train", "finetune", "tune", "evaluate", "predict", "export"}),
        (Fixed(), {"data", "train", "finetune", "tune"}),
        (Tried(), {"data", "train", "finetune", "tune", "evaluate"}),
    ],
    ids=["applied", "predicted", "fixed", "tried"],
)
def test_which_verbs_take_a_group_of_its_own(pipeline: Toy, verbs: set[str]) -> None:
    assert takers(pipeline) == verbs


def test_why_a_verb_does_not_take_a_group() -> None:
    with pytest.raises(ConfigError, match="the run already fixes it"):
        parse_arguments(Fixed(), "predict", ["--run", "r", "--labels.smoothing", "0.1"])
    with pytest.raises(
        ConfigError, match="no use for it; data, train, finetune, tune, evaluate, predict, stream, export do"
    ):
        parse_arguments(Applied(), "inspect", ["--run", "r", "--labels.smoothing", "0.1"])


def test_the_help_shows_the_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(Applied(), "train", ["--help"])
    assert "--labels.smoothing" in capsys.readouterr().out
