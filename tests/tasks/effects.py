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

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import RnnappsError
from rnnapps.testing import PipelineSubject
from rnnapps.verbs import settings

__all__ = ["Change", "Effects", "check_setting", "walked"]

AnyPipeline = Pipeline[Any, Any, Any]

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
        subject: the pipeline, with settings and an input for `predict`; its folder is removed by `close`.
    """

    def __init__(self, subject: PipelineSubject) -> None:
        self.subject = subject

    def with_settings(self, settings: Mapping[str, Any]) -> Effects:
        """Those of further settings, in a folder of their own."""
        folder = Path(tempfile.mkdtemp())
        changed = {**self.subject.settings, **settings}
        return Effects(dataclasses.replace(self.subject, folder=folder, settings=changed))

    @functools.cached_property
    def data(self) -> str:
        return str(self.subject.splits.digest())

    @functools.cached_property
    def preprocessing(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            self.subject.fitted.preprocessor.save(Path(folder))
            files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            return _digest({str(path.relative_to(folder)): _learned(path) for path in files})

    @functools.cached_property
    def network(self) -> str:
        return _digest([(weight.path, weight.numpy()) for weight in self.subject.fitted.network.weights])

    @functools.cached_property
    def batches(self) -> str:
        objective = self.subject.pipeline.objective(self.subject.fitted, self.subject.splits)
        return _digest(list(itertools.islice(objective.batches(0).as_numpy_iterator(), BATCHES)))

    @functools.cached_property
    def training(self) -> str:
        rows = [
            {name: value for name, value in json.loads(line).items() if name != "elapsed_seconds"}
            for line in (self.subject.model.path / "metrics.jsonl").read_text().splitlines()
        ]
        entries = sorted(path.name for path in self.subject.model.path.iterdir() if not path.name.startswith("."))
        return _digest([rows, entries])

    @functools.cached_property
    def evaluation(self) -> str:
        found = self.subject.model.evaluate()
        return _digest([found.metrics, found.baselines, found.examples, found.split, found.diagnostics])

    @functools.cached_property
    def prediction(self) -> str:
        found = self.subject.model.predict(self.subject.inputs, **self.subject.options)
        return _digest(found.to_dict() if hasattr(found, "to_dict") else repr(found))

    @functools.cached_property
    def stream(self) -> str:
        return repr(list(self.subject.model.stream(self.subject.inputs, **self.subject.options)))

    def close(self) -> None:
        shutil.rmtree(self.subject.folder, ignore_errors=True)


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
    before = base.with_settings(change.beside) if change and change.beside else base
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
    kind = settings.setting_types(base.subject.pipeline.config_class)[key]
    value = settings.flatten(base.subject.config)[key]
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
    other = base.with_settings({key: value})
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
