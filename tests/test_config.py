from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rnnapps.config import ExportConfig, RecurrentConfig, TrainingConfig
from rnnapps.errors import ConfigError


@pytest.mark.parametrize("kind", [ExportConfig, RecurrentConfig, TrainingConfig])
def test_configurations_are_frozen_and_documented(kind: Any) -> None:
    config = kind()
    field = dataclasses.fields(config)[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, field.name, getattr(config, field.name))
    for each in dataclasses.fields(config):
        assert f"    {each.name}: " in (kind.__doc__ or ""), f"{each.name} is not documented"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (RecurrentConfig, {"units": 0}, "model.units must be at least 1, not 0"),
        (RecurrentConfig, {"layers": -1}, "model.layers must be at least 1, not -1"),
        (RecurrentConfig, {"dropout": 1.0}, "model.dropout must be at least 0 and below 1, not 1.0"),
        (TrainingConfig, {"steps": 0}, "training.steps must be at least 1, not 0"),
        (TrainingConfig, {"learning_rate": 0.0}, "training.learning_rate must be above 0, not 0.0"),
        (TrainingConfig, {"learning_rate": float("nan")}, "training.learning_rate must be above 0, not nan"),
        (TrainingConfig, {"clip_norm": -1.0}, "training.clip_norm must be at least 0, not -1.0"),
        (TrainingConfig, {"patience": -1}, "training.patience must be at least 0, not -1"),
        (TrainingConfig, {"optimizer": "adm"}, "training.optimizer must be one of sgd, adam, adamw, rmsprop, not adm"),
        (ExportConfig, {"warmup_requests": 1001}, "export.warmup_requests must be from 0 to 1000, not 1001"),
    ],
)
def test_values_out_of_range_name_key_range_and_value(kind: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**values)
    assert str(caught.value) == message
