from __future__ import annotations

import dataclasses
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rnnapps.cli.arguments import parse_arguments
from rnnapps.config import RecurrentConfig, TrainingConfig
from rnnapps.verbs import settings, yaml_files
from tests.cli.toy_pipeline import Config, DataConfig, Toy


def test_setting_types_open_nested_dataclasses() -> None:
    types = settings.setting_types(Config)
    assert types["model.cell"] is str
    assert types["training.learning_rate"] is float
    assert types["seed"] is int
    assert "model" not in types


def test_assemble_is_the_inverse_of_flatten() -> None:
    config = Config(model=RecurrentConfig(cell="mgu", dropout=0.25), training=TrainingConfig(steps=3), seed=9)
    assert settings.assemble(Config, settings.flatten(config)) == config


@given(
    source=st.text(min_size=1),
    parts=st.lists(st.floats(0, 1), min_size=1, max_size=3).map(tuple),
    rate=st.floats(1e-12, 1e3),
    seed=st.integers(0, 2**31),
)
def test_yaml_keeps_every_value(
    tmp_path_factory: object, source: str, parts: tuple[float, ...], rate: float, seed: int
) -> None:
    config = Config(data=DataConfig(source, None, parts), training=TrainingConfig(learning_rate=rate), seed=seed)
    path = tmp_path_factory.mktemp("yaml") / "config.yaml"  # type: ignore[attr-defined]
    path.write_text(yaml_files.dump("toy", config), encoding="utf-8")
    assert parse_arguments(Toy(), "train", ["--config", str(path)]).config == config


def test_dump_names_the_pipeline_first(tmp_path: Path) -> None:
    assert yaml_files.dump("toy", Config()).splitlines()[0] == "pipeline: toy"


def test_nearest_finds_misspelt_and_unqualified_names() -> None:
    keys = settings.setting_types(Config)
    assert "model.units" in settings.nearest("model.unit", keys)
    assert "training.patience" in settings.nearest("patience", keys)
    assert settings.nearest("zzzzzz", keys) == ""


def test_describe_puts_types_in_words() -> None:
    hints = settings.setting_types(Config)
    assert settings.describe(hints["data.test"]) == "text or null"
    assert settings.describe(hints["training.compile"]) == "one of auto, xla, graph"
    assert dataclasses.is_dataclass(Config)
