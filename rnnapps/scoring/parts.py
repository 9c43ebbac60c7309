"""The files of answers: one part after the other, each whole or not there, so that what was done is not done again."""

from __future__ import annotations

import base64
import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.atomic import atomic_file, write_atomically
from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.errors import ConfigError, DataError
from rnnapps.types import Array

__all__ = ["KINDS", "Line", "Parts", "part_path", "plain_value"]

PLAN = "scoring.json"
KINDS = ("jsonl", "parquet")
"""Of the files with answers."""

Line = Mapping[str, Any]


class Parts:
    """A folder of parts.

    Args:
        folder: made if it does not exist.
        signature: whose outputs the answers are.
        kind: one of `KINDS`.
    """

    def __init__(self, folder: Path, signature: ServedSignature, kind: str) -> None:
        self.folder, self._signature, self._kind = folder, signature, kind

    @contextmanager
    def open(self, plan: Mapping[str, Any]) -> Iterator[None]:
        """Holds the folder for this process, and those that it has parts written by.

        Args:
            plan: what decides the content of every part; a folder that was begun with another plan is refused.

        Raises:
            ConfigError: another process writes into it, or it was begun with another plan.
            DataError: it cannot be written.
        """
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = open(self.folder / ".lock", "a")  # noqa: SIM115  (closed below, after the lock's whole life)
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"{self.folder}: another process writes there; wait for it, or give another --to"
                raise ConfigError(message) from None
            with self._writing():
                self._begin(plan)
            yield

    def done(self, number: int) -> bool:
        """Whether a part is finished."""
        return self._path(number).is_file()

    def write(self, number: int, answers: Sequence[Line], problems: Sequence[Line]) -> None:
        """Writes a part; its answers come last, and say that it is finished.

        Raises:
            DataError: it cannot be written.
        """
        with self._writing():
            self._write(number, answers, problems)

    def _write(self, number: int, answers: Sequence[Line], problems: Sequence[Line]) -> None:
        beside = self.folder / f"part-{number:05d}.problems.jsonl"
        if problems:
            write_atomically(beside, _json_lines(problems))
        if self._kind == "jsonl":
            write_atomically(self._path(number), _json_lines(answers))
            return
        import pyarrow
        import pyarrow.parquet

        with atomic_file(self._path(number)) as temporary:
            table = pyarrow.Table.from_pylist(list(answers), self._schema(answers))
            pyarrow.parquet.write_table(table, temporary)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns errors of the disk into one line."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise DataError(self.folder, f"cannot be written ({reason})", "free space, or give another --to") from error

    def _path(self, number: int) -> Path:
        return part_path(self.folder, number, self._kind)

    def _begin(self, plan: Mapping[str, Any]) -> None:
        path = self.folder / PLAN
        if not path.is_file():
            if any(self.folder.glob("part-*")):
                raise ConfigError(f"{self.folder}: holds parts of something else; give another --to")
            write_atomically(path, json.dumps(plan, indent=1).encode())
            return
        try:
            before = json.loads(path.read_bytes())
            different = sorted(key for key in {*before, *plan} if before.get(key) != plan.get(key))
        except (ValueError, TypeError, AttributeError):
            raise ConfigError(f"{path}: cannot be read; give another --to") from None
        if different:
            raise ConfigError(f"{self.folder}: was begun with another {' and '.join(different)}; give another --to")

    def _schema(self, answers: Sequence[Line]) -> Any:
        """Columns of a Parquet file: those of the row by their values, outputs by what the signature says."""
        import pyarrow

        outputs = {name: tensor for name, tensor in self._signature.outputs.items() if name != PROBLEM}
        keys = [name for name in (answers[0] if answers else ()) if name not in outputs]
        kinds = {name: pyarrow.array([line[name] for line in answers]).type for name in keys}
        return pyarrow.schema([*kinds.items(), *((name, _arrow_type(name, each)) for name, each in outputs.items())])


def part_path(folder: Path, number: int, kind: str) -> Path:
    """The file of answers of a part, which is there when the part is finished."""
    return folder / f"part-{number:05d}.{kind}"


def plain_value(name: str, array: Array, *, as_json: bool) -> Any:
    """An output of one row as JSON or Parquet hold it: text as text, bytes in base64 or as they are, no NaN.

    Args:
        name: of the output.
        array: its value, the batch of one first.
        as_json: for JSON.
    """
    if array.dtype == object:
        return _text(array.tolist()[0], raw=name.endswith("_bytes"), as_json=as_json)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        finite = array.astype(object)
        finite[~np.isfinite(array)] = None
        return finite.tolist()[0]
    return array.tolist()[0]


def _text(values: Any, *, raw: bool, as_json: bool) -> Any:
    if isinstance(values, list):
        return [_text(value, raw=raw, as_json=as_json) for value in values]
    if raw:
        return {"b64": base64.b64encode(values).decode()} if as_json else values
    return values.decode("utf-8", "replace")


def _json_lines(lines: Sequence[Line]) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n" for line in lines)


def _arrow_type(name: str, tensor: ServedTensor) -> Any:
    """The type of an output without its batch."""
    import pyarrow

    strings = pyarrow.binary() if name.endswith("_bytes") else pyarrow.string()
    kind = strings if tensor.dtype == "string" else pyarrow.from_numpy_dtype(tensor.dtype)
    for _ in tensor.shape[1:]:
        kind = pyarrow.list_(kind)
    return kind
