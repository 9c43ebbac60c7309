"""What a setting changes: a pipeline's data, network, batches, training and answers as digests, from the cheap on."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import RnnappsError
from rnnapps.verbs.configure import configure
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.model import Model
from rnnapps.verbs.start import train

__all__ = ["Effects", "first_effect"]

AnyPipeline = Pipeline[Any, Any, Any]

QUICK = {"training.steps": 4, "training.evaluate_every": 2, "training.warmup_steps": 1}
BATCHES = 3


class Effects:
    """The digests of one configuration, each made when it is first asked for.

    Args:
        pipeline: the application.
        settings: dotted key -> value.
        inputs: for `predict`, as Python users give it.
        options: of `predict`.
    """

    def __init__(
        self, pipeline: AnyPipeline, settings: Mapping[str, Any], inputs: Any, options: Mapping[str, Any]
    ) -> None:
        self.pipeline, self.settings, self.inputs, self.options = pipeline, dict(settings), inputs, dict(options)

    @functools.cached_property
    def config(self) -> Any:
        return configure(self.pipeline, {}, {**QUICK, **self.settings})

    @functools.cached_property
    def splits(self) -> Any:
        return read_examples(self.pipeline, self.config)

    @functools.cached_property
    def fitted(self) -> Fitted[Any, Any]:
        import keras

        keras.utils.set_random_seed(self.config.seed)
        preprocessor = self.pipeline.fit_preprocessor(self.config, self.splits)
        return Fitted(self.config, preprocessor, self.pipeline.build_model(self.config, preprocessor))

    @functools.cached_property
    def data(self) -> str:
        return str(self.splits.digest())

    @functools.cached_property
    def preprocessing(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            self.fitted.preprocessor.save(Path(folder))
            return _digest({str(path): path.read_bytes() for path in sorted(Path(folder).iterdir())}, folder)

    @functools.cached_property
    def network(self) -> str:
        network = self.fitted.network
        return _digest([network.to_json(), [(weight.path, weight.numpy()) for weight in network.weights]])

    @functools.cached_property
    def batches(self) -> str:
        objective = self.pipeline.objective(self.fitted, self.splits)
        return _digest(list(itertools.islice(objective.batches(0).as_numpy_iterator(), BATCHES)))

    @functools.cached_property
    def folder(self) -> Path:
        return Path(tempfile.mkdtemp())

    @functools.cached_property
    def model(self) -> Model[Any, Any, Any]:
        return train(self.pipeline, run=self.folder / "run", **{**QUICK, **self.settings})

    @functools.cached_property
    def training(self) -> str:
        rows = [
            {name: value for name, value in json.loads(line).items() if name != "elapsed_seconds"}
            for line in (self.model.path / "metrics.jsonl").read_text().splitlines()
        ]
        entries = sorted(path.name for path in self.model.path.iterdir() if not path.name.startswith("."))
        return _digest([rows, entries])

    @functools.cached_property
    def evaluation(self) -> str:
        found = self.model.evaluate()
        return _digest([found.metrics, found.baselines, found.examples, found.split, found.diagnostics])

    @functools.cached_property
    def prediction(self) -> str:
        found = self.model.predict(self.inputs, **self.options)
        return _digest(found.to_dict() if hasattr(found, "to_dict") else repr(found))

    @functools.cached_property
    def stream(self) -> str:
        return repr(list(self.model.stream(self.inputs, **self.options)))

    @functools.cached_property
    def export(self) -> str:
        version = self.model.export(self.folder / "models")
        records = version / "assets.extra" / "tf_serving_warmup_requests"
        return _digest(records.read_bytes() if records.is_file() else "none")

    def close(self) -> None:
        if "folder" in vars(self):
            shutil.rmtree(self.folder, ignore_errors=True)


STAGES = ("data", "preprocessing", "network", "batches", "training", "evaluation", "prediction", "stream", "export")


def first_effect(base: Effects, changed: Callable[[], Effects], key: str, stages: tuple[str, ...] = STAGES) -> str:
    """The first stage in which two configurations differ, or "refused" where the message names the setting.

    Returns:
        "" where all stages are the same.
    """
    other = None
    try:
        other = changed()
        with _quiet():
            return next((stage for stage in stages if getattr(base, stage) != getattr(other, stage)), "")
    except RnnappsError as error:
        if key.rpartition(".")[2] not in str(error):
            raise
        return "refused"
    finally:
        if other is not None:
            other.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _digest(value: Any, *without: str) -> str:
    """A digest of arrays, texts and nests of them; `without` names texts, such as folders, that do not count."""
    text = repr(list(_flat(value)))
    for part in without:
        text = text.replace(part, "")
    return hashlib.sha256(text.encode()).hexdigest()


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _flat(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _flat(vars(value))
    elif isinstance(value, np.ndarray):
        yield value.dtype.str, value.shape, hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    else:
        yield value
