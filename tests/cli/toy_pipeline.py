"""A pipeline whose dataclasses are real and whose work is not: for the command line alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.cli.pipeline_cli import main
from rnnapps.config import ExportConfig, RecurrentConfig, TrainingConfig
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class DataConfig:
    """The data.

    Attributes:
        source: where the examples come from.
        test: another source to score.
        parts: shares of training and validation.
    """

    source: str = "builtin"
    test: str | None = None
    parts: tuple[float, ...] = (0.8, 0.2)


@dataclass(frozen=True)
class Config:
    """A toy.

    Attributes:
        seed: number that decides everything random.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: RecurrentConfig = field(default_factory=RecurrentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    seed: int = 0


@dataclass(frozen=True)
class Predict:
    """Options of predict.

    Attributes:
        prompt: beginning of the text.
        length: characters to write.
    """

    prompt: str = ""
    length: int = 100


class Toy(Pipeline[Config, Any, Any]):
    name: ClassVar[str] = "toy"
    summary: ClassVar[str] = "Nothing, quickly"
    config_class = Config
    predict_class = Predict

    def examples(self, config: Config) -> Any:
        raise NotImplementedError

    def fit_preprocessor(self, config: Config, splits: Any) -> Any:
        raise NotImplementedError

    def load_preprocessor(self, folder: Path) -> Any:
        raise NotImplementedError

    def build_model(self, config: Config, preprocessor: Any) -> keras.Model:
        raise NotImplementedError

    def objective(self, fitted: Fitted[Config, Any], splits: Any) -> Objective:
        raise NotImplementedError

    def evaluate(self, fitted: Fitted[Config, Any], splits: Any) -> Evaluation:
        raise NotImplementedError

    def endpoints(self, fitted: Fitted[Config, Any]) -> dict[str, Endpoint]:
        raise NotImplementedError

    def predict(self, fitted: Fitted[Config, Any], options: Any) -> list[Any]:
        raise NotImplementedError

    def stream(self, fitted: Fitted[Config, Any], options: Any) -> Iterator[str]:
        raise NotImplementedError


if __name__ == "__main__":
    sys.exit(main(Toy()))
