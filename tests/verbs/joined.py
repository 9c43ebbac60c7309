"""The tiny pipeline with what ensembles and refits ask of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import rnnapps
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from tests.cli.tiny_pipeline import Circle, Config, Letters, Tiny
from tests.verbs.tiny import TinyModel

__all__ = ["JOINED", "SETTINGS", "Joined", "fit"]

SETTINGS: dict[str, Any] = {
    **{"steps": 6, "evaluate_every": 2, "compile": "graph", "schedule": "constant", "warmup_steps": 0},
    **{"learning_rate": 0.05},
}


class Joined(Tiny):
    """What validates best is the state of step `best`, whatever it is worth."""

    name: ClassVar[str] = "joined"
    best = 0

    def join(self, fitted: Sequence[Fitted[Config, Letters]]) -> Any:
        from rnnapps.layers.side_by_side import mean_of_probabilities, side_by_side

        return side_by_side([own.network for own in fitted], {"logits": mean_of_probabilities})

    def with_validation(self, splits: Circle) -> Circle:
        """As if "abc" were followed by "cba"."""
        return Circle(splits.letters + splits.letters[::-1], splits.source)

    def objective(self, fitted: Fitted[Config, Letters], splits: Circle) -> Objective:
        own = super().objective(fitted, splits)
        if not self.best:
            return own
        values = iter([2.0, 1.0, 3.0] if self.best == 4 else [3.0, 2.0, 1.0])
        return dataclasses.replace(own, validate=lambda: {own.metric: next(values)})


JOINED = Joined()


def fit(folder: Path, pipeline: Tiny | None = None, **changes: Any) -> TinyModel:
    """Trains on the letters "abc"."""
    return rnnapps.train(pipeline or Joined(), "abc", run=folder, **{**SETTINGS, **changes})
