from __future__ import annotations

from typing import Any

import pytest

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.ranges import Choices, Range
from rnnapps.search.space import declared_space, search_space, space_as_text, space_from_text
from rnnapps.verbs.configure import configure
from tests.cli.tiny_pipeline import TINY


def space(*asked: str, cells: tuple[str, ...] = (), **changes: Any) -> Any:
    return search_space(TINY, configure(TINY, {}, changes), asked=asked, cells=cells)


def test_a_pipeline_that_says_nothing_has_a_space_around_its_values() -> None:
    """The tiny pipeline uses the shared dataclasses, with 8 units and a rate of 0.05 of its own."""
    found = space()
    assert found["model.units"] == Range(8, 16, logarithmic=True)
    assert found["training.learning_rate"] == Range(0.01, 0.25, logarithmic=True)
    assert found["model.dropout"] == Range(0.0, 0.5)
    assert found["training.schedule"] == Choices(("one_cycle", "cosine"))
    assert not {"training.batch_size", "training.steps", "data.source", "seed", "model.cell"} & found.keys()


def test_what_has_no_effect_is_not_searched_over() -> None:
    assert "training.weight_decay" not in space()  # adam has none
    assert "training.weight_decay" in space(training={"optimizer": "adamw"})


def test_settings_may_be_named_and_given_values() -> None:
    found = space("training.learning_rate", "model.units=4..64", "training.batch_size=2,8", "training.clip_norm=0..2")
    assert found == {
        "training.learning_rate": Range(0.01, 0.25, logarithmic=True),
        "model.units": Range(4, 64, logarithmic=True),
        "training.batch_size": Choices((4, 2, 8)),  # its own value first
        "training.clip_norm": Range(0.0, 2.0),
    }
    assert space("training.warmup_steps=1..100") == {"training.warmup_steps": Range(1, 100, logarithmic=True)}
    assert space("training.warmup_steps=1..9") == {"training.warmup_steps": Range(1, 9)}


def test_cells_come_beside_the_settings() -> None:
    found = space("training.learning_rate", cells=("lstm", "gru"))
    assert found["model.cell"] == Choices(("gru", "lstm"))
    assert list(found) == ["model.cell", "training.learning_rate"]
    everything = space(cells=("all",))["model.cell"]
    assert {"min_gru", "mamba2", "s_lstm"} <= set(everything.values)
    assert "model.units" in space(cells=("all",))


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("model.unit", "--settings model.unit: tiny has no such setting; did you mean 'model.units'?"),
        ("training.batch_size", "--settings training.batch_size has no range of its own; give one"),
        ("model.units=8..4", "--settings model.units=8..4: LOW..HIGH are two numbers, the second one larger"),
        ("model.units=a,b", "model.units must be a whole number, not 'a'"),
        ("model.units=0..4", "model.units must be at least 1, not 0"),
        ("model.cell=a..b", "--settings model.cell=a..b: LOW..HIGH are two numbers"),
    ],
)
def test_what_cannot_be_searched_is_said_in_a_line(asked: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        space(asked)
    assert line in str(caught.value)


def test_an_unknown_cell_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="--cells gruu: there is no such cell; did you mean 'gru'"):
        space(cells=("gruu",))


def test_a_space_is_the_same_after_it_was_written() -> None:
    found = space(cells=("lstm",))
    assert space_from_text(space_as_text(found)) == found


def test_a_clip_that_is_off_can_be_searched_around() -> None:
    config = configure(TINY, {}, {"clip_norm": 0})
    assert declared_space(TINY, config)["training.clip_norm"] == Range(0.0, 20.0)
    assert TrainingConfig().clip_norm == 1.0
