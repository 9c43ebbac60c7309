"""The tiny pipeline, installed: `rnnapps.load` and `rnnapps.train` find it by its name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from rnnapps.training.state import read_weights
from rnnapps.verbs.model import Model
from rnnapps.verbs.pipelines import PIPELINE_GROUP
from tests.cli.tiny_pipeline import Config, Letters, Tiny

__all__ = ["SHORT", "TinyModel", "install", "weights"]

TinyModel = Model[Config, Any, Letters]

SHORT: dict[str, Any] = {"steps": 4, "evaluate_every": 2, "compile": "graph", "schedule": "constant", "warmup_steps": 0}


def install(patch: pytest.MonkeyPatch) -> None:
    """Offers it through the entry points, as a package of its own would."""
    entry = EntryPoint(Tiny.name, "tests.cli.tiny_pipeline:TINY", PIPELINE_GROUP)
    patch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [entry])


def weights(model: TinyModel) -> dict[str, bytes]:
    """Bits of every weight of a run, as its last state has them."""
    from rnnapps.training.run import RunFolder

    return {path: array.tobytes() for path, array in read_weights(RunFolder(model.path), "last")[1].items()}
