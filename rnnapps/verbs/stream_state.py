"""The state of a stream in a file: what a restarted stream needs to go on as if it had never ended."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.errors import CheckpointError

if TYPE_CHECKING:
    from rnnapps.contract.fitted import Fitted
    from rnnapps.training.signals import StopSignals

__all__ = ["DEFAULT_SECONDS", "KeptMemory", "fingerprint"]

MAGIC = b"rnnapps stream state 1\n"
FACTS = "facts"
DEFAULT_SECONDS = 30.0


class KeptMemory(StreamMemory):
    """A memory in a file, written whole or not at all, with a checksum.

    Args:
        path: the file; it need not exist yet.
        model: what the state belongs to, see `fingerprint`: name -> text.
        seconds: how long at most, beside a step, before it is written again.
        signals: ask the stream to stop between two steps, or while it waits.

    Raises:
        CheckpointError: the file is damaged, or the state of something else; or it cannot be written.
    """

    keeps = True

    def __init__(
        self,
        path: Path,
        model: Mapping[str, str],
        *,
        seconds: float = DEFAULT_SECONDS,
        signals: StopSignals | None = None,
    ) -> None:
        self.path, self.model, self.seconds, self.signals = path, dict(model), seconds, signals
        self._before = _read(path, self.model) if path.exists() else {}
        self._now: dict[str, Callable[[], Remembered]] = {}
        self._saved = time.monotonic()
        if not path.parent.is_dir():
            raise CheckpointError(f"{path}: its folder does not exist; create it, or name another --state")

    def before(self, name: str) -> Remembered | None:
        """See `StreamMemory`."""
        return self._before.get(name)

    def watch(self, name: str, now: Callable[[], Remembered]) -> None:
        """See `StreamMemory`."""
        self._now[name] = now

    def passed(self) -> None:
        """Writes the file where it is time to; raises StopNow where a signal came."""
        if self.signals is not None and self.signals.received:
            from rnnapps.training.signals import StopNow

            raise StopNow
        if time.monotonic() - self._saved >= self.seconds:
            self.save()

    def waiting(self) -> contextlib.AbstractContextManager[None]:
        """Inside, a signal raises StopNow at once."""
        return self.signals.breaking() if self.signals is not None else contextlib.nullcontext()

    def save(self) -> None:
        """Writes the file.

        Raises:
            CheckpointError: the disk is full, or the folder cannot be written; the file is as it was.
        """
        from rnnapps.atomic import write_atomically

        if not self._now:
            return  # the stream has not begun
        parts = {**self._before, **{name: now() for name, now in self._now.items()}}
        try:
            write_atomically(self.path, _packed(self.model, parts))
        except OSError as error:
            problem = f"{self.path}: the state of the stream cannot be written: {error.strerror or error}"
            raise CheckpointError(f"{problem}; free space or make the folder writable") from None
        self._saved = time.monotonic()


def fingerprint(pipeline: str, fitted: Fitted[Any, Any], settings: Mapping[str, Any]) -> dict[str, str]:
    """What a state belongs to: the pipeline, the model's weights and preprocessing, and settings by name."""
    digest = hashlib.sha256()
    for variable in fitted.network.variables:
        array = np.ascontiguousarray(variable.numpy())
        digest.update(f"{variable.path} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    with tempfile.TemporaryDirectory() as folder:
        fitted.preprocessor.save(Path(folder))
        for path in sorted(each for each in Path(folder).rglob("*") if each.is_file()):
            digest.update(f"{path.relative_to(folder)}\n".encode())
            digest.update(path.read_bytes())
    shown = {name: json.dumps(value, default=str) for name, value in settings.items()}
    return {"pipeline": pipeline, "model": digest.hexdigest(), **shown}


def _packed(model: Mapping[str, str], parts: Mapping[str, Remembered]) -> bytes:
    """The bytes of a file: a line that names the format, a checksum, and arrays by part and name, with the facts."""
    facts = {"model": model, "parts": {name: part.facts for name, part in parts.items()}}
    arrays: dict[str, Any] = {
        f"{name}/{key}": array for name, part in parts.items() for key, array in part.arrays.items()
    }
    content = io.BytesIO()
    np.savez(content, **{**arrays, FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8)})
    return MAGIC + hashlib.sha256(content.getvalue()).hexdigest().encode() + b"\n" + content.getvalue()


def _read(path: Path, model: Mapping[str, str]) -> dict[str, Remembered]:
    """What each part remembered.

    Raises:
        CheckpointError: the file is no state, or damaged, or the state of something else.
    """
    remedy = "restore it, or delete it to begin anew"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}; name another --state") from None
    if not content.startswith(MAGIC):
        raise CheckpointError(f"{path}: is no state of a stream that this version reads; name another --state")
    checksum, _, packed = content[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(packed).hexdigest().encode() != checksum:
        raise CheckpointError(f"{path}: is damaged (its checksum differs); {remedy}")
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays.pop(FACTS).tobytes())
        before, parts = dict(facts["model"]), dict(facts["parts"])
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: is damaged ({error}); {remedy}") from None
    _require_same(path, before, model)
    return {name: Remembered(own, dict(_of(name, arrays))) for name, own in parts.items()}


def _of(part: str, arrays: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arrays of a part, by their own names."""
    for name, array in arrays.items():
        if name.startswith(f"{part}/"):
            yield name.removeprefix(f"{part}/"), array


def _require_same(path: Path, before: Mapping[str, str], model: Mapping[str, str]) -> None:
    """Raises CheckpointError, where a state is that of another model, or of other settings."""
    if any(before.get(name) != model[name] for name in ("pipeline", "model")):
        remedy = "give the run it was made with, or another --state"
        raise CheckpointError(f"{path}: is the state of another model ({before.get('pipeline')}); {remedy}")
    for name in sorted({*before, *model}):
        if before.get(name) != model.get(name):
            told = f"{path}: is the state of a stream with {name} {before.get(name)}, not {model.get(name)}"
            raise CheckpointError(f"{told}; give that, or another --state")
