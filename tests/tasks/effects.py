"""What a configuration and the options of a verb give, as digests that can be compared: from the cheap on."""

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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import RnnappsError
from rnnapps.export.row_by_row import row_by_row
from rnnapps.export.signatures import answer
from rnnapps.testing import PipelineSubject
from rnnapps.testing.pipelines.training import UNSTEADY
from rnnapps.verbs.configure import option_names, options_of_others

__all__ = ["REFUSED", "STAGES", "Effects"]

BATCHES = 3

REFUSED = "refused: "
"""What an outcome that is an error begins with."""

STAGES = ("data", "preprocessing", "network", "batches", "growth", "training", "evaluation", "prediction", "stream")
"""In which settings may show, in the order of their cost; those of exports show in the stage `served` alone."""


class Effects:
    """The outcomes of one configuration, each made when it is first asked for.

    Args:
        subject: the pipeline, with settings and an input for `predict`.
    """

    def __init__(self, subject: PipelineSubject) -> None:
        self.subject = subject
        self._outcomes: dict[str, str] = {}

    def with_settings(self, settings: Mapping[str, Any]) -> Effects:
        """Those of further settings, in a folder of their own, which `close` removes."""
        folder = Path(tempfile.mkdtemp())
        changed = {**self.subject.settings, **settings}
        return Effects(dataclasses.replace(self.subject, folder=folder, settings=changed))

    def outcome(self, stage: str) -> str:
        """What a stage gives, as a digest, or the line that it is refused with."""
        return self._outcome(stage, lambda: _digest(getattr(self, stage)))

    def tried(self, verb: str, options: Mapping[str, Any]) -> str:
        """What a verb gives with further options, the files that it writes among it."""
        return self._outcome(f"{verb} {dict(options)}", lambda: _digest(self._given(verb, options)))

    def close(self) -> None:
        shutil.rmtree(self.subject.folder, ignore_errors=True)

    @functools.cached_property
    def data(self) -> Any:
        return str(self.subject.splits.digest())

    @functools.cached_property
    def preprocessing(self) -> Any:
        return _saved(self.subject.fitted.preprocessor)

    @functools.cached_property
    def network(self) -> Any:
        return [(weight.path, weight.trainable, weight.numpy()) for weight in self.subject.fitted.network.weights]

    @functools.cached_property
    def batches(self) -> Any:
        objective = self.subject.pipeline.objective(self.subject.fitted, self.subject.splits)
        return list(itertools.islice(objective.batches(0).as_numpy_iterator(), BATCHES))

    @functools.cached_property
    def growth(self) -> Any:
        """What fine-tuning on other data makes of the preprocessor."""
        subject = dataclasses.replace(self.subject, settings={**self.subject.settings, **self.subject.other})
        known = self.subject.fitted.preprocessor
        return _saved(subject.pipeline.grow_preprocessor(subject.config, known, subject.splits))

    @functools.cached_property
    def training(self) -> Any:
        rows = [
            {name: value for name, value in json.loads(line).items() if name != "elapsed_seconds"}
            for line in (self.subject.model.path / "metrics.jsonl").read_text().splitlines()
        ]
        entries = sorted(path.name for path in self.subject.model.path.iterdir() if not path.name.startswith("."))
        return [rows, entries]

    @functools.cached_property
    def evaluation(self) -> Any:
        return self._given("evaluate", {})

    @functools.cached_property
    def prediction(self) -> Any:
        return self._given("predict", {})

    @functools.cached_property
    def stream(self) -> Any:
        return self._given("stream", {}) if self.subject.streamed else []

    @functools.cached_property
    def served(self) -> Any:
        """What the endpoints of the untrained network answer to their own examples."""
        endpoints = self.subject.pipeline.endpoints(self.subject.fitted)
        return [answer(name, row_by_row(name, endpoint)).outputs for name, endpoint in endpoints.items()]

    def _outcome(self, name: str, find: Any) -> str:
        if name not in self._outcomes:
            try:
                with _quiet():
                    self._outcomes[name] = find()
            except RnnappsError as error:
                self._outcomes[name] = f"{REFUSED}{error}"
        return self._outcomes[name]

    def _given(self, verb: str, options: Mapping[str, Any]) -> Any:
        """Results of a verb, and the names of the files that it writes where it runs."""
        model, subject = self.subject.model, self.subject
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            if verb == "evaluate":
                found = model.evaluate(**options)
                told = {name: value for name, value in found.diagnostics.items() if name not in UNSTEADY}
                results: Any = [found.metrics, found.baselines, found.examples, found.split, told]
            else:
                others = options_of_others(subject.pipeline, verb)
                taken = {name: value for name, value in subject.options.items() if name not in others} | dict(options)
                inputs = None if option_names(subject.pipeline)[0] in taken else subject.inputs
                results = getattr(model, verb)(inputs, **taken)
                results = list(results) if verb == "stream" else results
            return [results, sorted(path.name for path in Path(folder).iterdir())]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _saved(preprocessor: Any) -> Any:
    """The files of a preprocessor."""
    with tempfile.TemporaryDirectory() as folder:
        preprocessor.save(Path(folder))
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): _learned(path) for path in files}


def _learned(path: Path) -> object:
    """A file of a preprocessor, without the settings that it notes for reading further tables."""
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content.pop("reading", None)
    return content


def _digest(value: Any) -> str:
    """A digest of arrays, texts, frames, objects and nests of them."""
    return hashlib.sha256(repr(list(_flat(value))).encode()).hexdigest()


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _flat(item)
    elif isinstance(value, list | tuple):
        yield type(value).__name__, len(value)
        for item in value:
            yield from _flat(item)
    elif isinstance(value, np.ndarray):
        content = value.tolist() if value.dtype == object else np.ascontiguousarray(value).tobytes()
        yield value.dtype.str, value.shape, hashlib.sha256(repr(content).encode()).hexdigest()
    elif hasattr(value, "to_dict"):
        yield from _flat(value.to_dict("list"))
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from _flat(vars(value))
    else:
        yield value
