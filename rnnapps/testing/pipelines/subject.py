"""The pipeline that is checked, and what is made of it once for all checks."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli.pipeline_cli import main
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.types import Array
from rnnapps.verbs.configure import configure
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.model import Model
from rnnapps.verbs.start import train

if TYPE_CHECKING:
    import keras

__all__ = ["QUICK", "PipelineSubject", "joined", "weights"]

AnyPipeline = Pipeline[Any, Any, Any]

QUICK = {"training.steps": 4, "training.evaluate_every": 2, "training.tensorboard": False, "training.warmup_steps": 1}
"""Settings of every check: two intervals of two updates."""


def joined(pieces: Iterable[Any]) -> str:
    """What pieces of text add up to."""
    return "".join(map(str, pieces))


def weights(network: keras.Model) -> dict[str, Array]:
    """Path -> value of every weight of a network."""
    import numpy as np

    return {weight.path: np.asarray(weight) for weight in network.weights}


@dataclasses.dataclass(frozen=True, eq=False)
class PipelineSubject:
    """A pipeline with all that its checks need.

    Attributes:
        pipeline: the application; an instance that its module holds under some name.
        folder: an empty folder for runs and exports.
        settings: dotted key -> value: a small model and small data, so that a training takes seconds.
        inputs: an input for `predict`, as Python users give it.
        options: options of `predict` and `stream`.
        other: dotted key -> value: settings of other data, for fine-tuning; the same data when empty.
        streamed: what the pieces of a stream add up to; None where the pipeline cannot stream with these settings.
        predicted: what of the results of `predict` compares with that.
    """

    pipeline: AnyPipeline
    folder: Path
    settings: Mapping[str, Any]
    inputs: Any
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    other: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    streamed: Callable[[list[Any]], Any] | None = joined
    predicted: Callable[[Any], Any] = str

    @functools.cached_property
    def config(self) -> Any:
        """The configuration of the checks."""
        return configure(self.pipeline, {}, {**QUICK, **self.settings})

    @functools.cached_property
    def splits(self) -> Any:
        """The examples."""
        return read_examples(self.pipeline, self.config)

    @functools.cached_property
    def model(self) -> Model[Any, Any, Any]:
        """A model trained without interruption."""
        return train(self.pipeline, run=self.folder / "whole", **{**QUICK, **self.settings})

    @functools.cached_property
    def export(self) -> Path:
        """Its export: a version folder."""
        return self.model.export(self.folder / "models")

    @functools.cached_property
    def fitted(self) -> Fitted[Any, Any]:
        """Configuration, preprocessor and a fresh network, for what needs no training."""
        import keras

        keras.utils.set_random_seed(self.config.seed)
        preprocessor = self.pipeline.fit_preprocessor(self.config, self.splits)
        return Fitted(self.config, preprocessor, self.pipeline.build_model(self.config, preprocessor))

    def flags(self, **changes: Any) -> list[str]:
        """The settings as flags of `train`."""
        values = {**QUICK, **self.settings, **changes}
        return [f"--{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in values.items()]

    def command(self, *argv: str) -> tuple[int, str, str]:
        """Runs a verb within this process; returns exit code, standard output and standard error."""
        with (
            contextlib.redirect_stdout(io.StringIO()) as output,
            contextlib.redirect_stderr(io.StringIO()) as errors,
        ):
            code = main(self.pipeline, list(argv))
        return code, output.getvalue(), errors.getvalue()

    def process(self, *argv: str) -> list[str]:
        """The words that run a verb in a process of its own."""
        module, name = self.place()
        imports = f"import sys; from {module} import {name}; from rnnapps.cli.pipeline_cli import main"
        code = f"{imports}; sys.exit(main({name}))"
        return [sys.executable, "-c", code, *argv]

    @property
    def environment(self) -> dict[str, str]:
        """Variables of such a process: it finds modules where this one does."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def place(self) -> tuple[str, str]:
        """The module that holds the pipeline, and its name there."""
        module = type(self.pipeline).__module__
        names = [name for name, value in vars(sys.modules[module]).items() if value is self.pipeline]
        assert names, f"{module} must hold the instance of {type(self.pipeline).__name__} under a name (PIPELINE)"
        return module, names[0]
