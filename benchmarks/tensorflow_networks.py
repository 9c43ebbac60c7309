"""Networks of pipelines, to count their parameters."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cli.arguments import parse_arguments

__all__ = ["CountedNetwork", "network"]


class CountedNetwork:
    """The size of a network.

    Args:
        network: the network; it is not kept.
    """

    def __init__(self, network: keras.Model) -> None:
        self.parameters = network.count_params()

    def run(self) -> None:
        """There is nothing to run."""

    def answers(self) -> dict[str, float]:
        """The number of parameters."""
        return {"parameters": self.parameters}


def network(pipeline: str, flags: Sequence[str], model_flags: Sequence[str]) -> CountedNetwork:
    """The network that `rnnapps <pipeline> train` builds with these flags."""
    keras.backend.clear_session()
    application = _application(pipeline)
    config = parse_arguments(application, "train", [*flags, *model_flags]).config
    return CountedNetwork(application.build_model(config, _preprocessor(pipeline, tuple(flags))))


@functools.lru_cache(maxsize=1)
def _preprocessor(pipeline: str, flags: tuple[str, ...]) -> Any:
    """What the training data teach it; read once for all networks."""
    application = _application(pipeline)
    config = parse_arguments(application, "train", flags).config
    return application.fit_preprocessor(config, application.examples(config))


def _application(pipeline: str) -> Any:
    return importlib.import_module(f"pipelines.{pipeline}").PIPELINE
