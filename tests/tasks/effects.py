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
import typing
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import RnnappsError
from rnnapps.verbs import settings
from rnnapps.verbs.configure import configure
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.model import Model
from rnnapps.verbs.start import train

__all__ = ["Change", "Effects", "check_setting", "walked"]

AnyPipeline = Pipeline[Any, Any, Any]

QUICK = {"training.steps": 4, "training.evaluate_every": 2, "training.warmup_steps": 1}
BATCHES = 3


LOOP = {"training.steps": 6, "training.evaluate_every": 4, "training.clip_norm": 0.001}
"""What automatic alternatives would not show in four updates."""

ELSEWHERE = {
    "training.compile": "tests/training: how a step runs, not what it gives",
    "training.patience": "tests/training/test_loop.py: needs evaluations without improvement",
}
"""Settings of all pipelines that are shown to work where their effect is at home."""


@dataclasses.dataclass(frozen=True)
class Change:
    """Another value of a setting that must have an effect.

    Attributes:
        value: the value.
        beside: dotted key -> value: settings with which it means something, for both sides of the comparison.
    """

    value: Any
    beside: Mapping[str, Any] = dataclasses.field(default_factory=dict)


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
            return _digest({path.name: _learned(path) for path in sorted(Path(folder).iterdir())})

    @functools.cached_property
    def network(self) -> str:
        return _digest([(weight.path, weight.numpy()) for weight in self.fitted.network.weights])

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

    def close(self) -> None:
        if "folder" in vars(self):
            shutil.rmtree(self.folder, ignore_errors=True)


STAGES = ("data", "preprocessing", "network", "batches", "training", "evaluation", "prediction", "stream")


def walked(pipeline: AnyPipeline, elsewhere: Collection[str] = ()) -> list[str]:
    """The settings to walk: all but those that are shown to work elsewhere, as those of exports are by their tests."""
    keys = settings.setting_types(pipeline.config_class)
    return [key for key in keys if key not in {*ELSEWHERE, *elsewhere} and not key.startswith("export.")]


def check_setting(base: Effects, key: str, change: Change | None) -> None:
    """Asserts that another value of a setting changes something, or is refused by name.

    Args:
        base: the configuration that is compared with.
        key: the setting.
        change: what to set; None tries a few values that the setting's type suggests.
    """
    before = Effects(base.pipeline, {**base.settings, **change.beside}, base.inputs, base.options) if change else base
    values = [change.value] if change else list(_alternatives(base, key))
    assert values, f"{key}: no other value is known; name one"
    try:
        found = [_first_effect(before, key, value) for value in values]
    finally:
        if before is not base:
            before.close()
    assert any(found), f"{key} may be {values}, and nothing changes"


def _alternatives(base: Effects, key: str) -> Iterator[Any]:
    """Other values of a setting."""
    kind = settings.setting_types(base.pipeline.config_class)[key]
    value = settings.flatten(base.config)[key]
    if key in LOOP:
        yield LOOP[key]
    elif typing.get_origin(kind) is typing.Literal:
        yield from (choice for choice in typing.get_args(kind) if choice != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value * 2
    elif isinstance(value, float):
        yield value / 2 if value else 0.1


def _first_effect(base: Effects, key: str, value: Any) -> str:
    """The first stage in which two configurations differ, or "refused" where the message names setting or value."""
    other = Effects(base.pipeline, {**base.settings, key: value}, base.inputs, base.options)
    try:
        with _quiet():
            return next((stage for stage in STAGES if getattr(base, stage) != getattr(other, stage)), "")
    except RnnappsError as error:
        assert key.rpartition(".")[2] in str(error) or str(value) in str(error), f"{key} {value}: {error}"
        return "refused"
    finally:
        other.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _learned(path: Path) -> object:
    """A file of a preprocessor, without the settings that it notes for reading further tables."""
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content.pop("reading", None)
    return content


def _digest(value: Any) -> str:
    """A digest of arrays, texts and nests of them."""
    return hashlib.sha256(repr(list(_flat(value))).encode()).hexdigest()


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
