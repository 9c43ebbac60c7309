"""Answers for rows that a program has in its hands, whatever engine they came by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnapps.contract.served import ServedTensor
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.errors import ConfigError
from rnnapps.export.versions import find_version
from rnnapps.scoring.model import Answer, Model
from rnnapps.scoring.model_thread import ModelThread
from rnnapps.scoring.options import ScoreOptions
from rnnapps.scoring.part_scorer import told_signature
from rnnapps.scoring.parts import plain_value
from rnnapps.scoring.row_format import Record
from rnnapps.scoring.rows import RowBuilder
from rnnapps.types import Arrays

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameScorer", "RowScorer", "wanted_outputs"]


class RowScorer:
    """A model for rows, in a process of its own.

    Args:
        export: version folder, or folder of versions, whose newest is taken.
        signature: of the model that is asked.
        columns: input -> the column that it is read from, where their names differ.
        outputs: those that are wanted; all where it is empty.
        root: folder that paths in the rows are relative to, and stay inside of.

    Attributes:
        outputs: name -> what it is, of those that are wanted.

    Raises:
        ConfigError: there is no such signature or output.
        ExportError: the model is refused.
    """

    def __init__(
        self,
        export: str | Path,
        signature: str = "serving_default",
        *,
        columns: Mapping[str, str] | None = None,
        outputs: Sequence[str] = (),
        root: str | Path = ".",
    ) -> None:
        options = ScoreOptions(signature, columns or {}, outputs=tuple(outputs))
        folder = find_version(Path(export))
        self._options, self._root = options, Path(root)
        self._signature = told_signature(folder, options)
        self.outputs = wanted_outputs(folder, options)
        self._build: RowBuilder | None = None
        self._model = ModelThread(Model(folder, signature, self._signature))

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The answers to rows, column -> value, in their order.

        Returns:
            Output -> value, as JSON would have it but for bytes, and `problem`: empty, or why the row has no outputs.

        Raises:
            ConfigError: an input that has no default has no column.
        """
        built = [self._built({name: _value(value) for name, value in row.items()}) for row in rows]
        asked = [row for row in built if not isinstance(row, str)]
        answers = iter(self._model.run(self._model.model.answer(asked)))
        found = (Answer({}, row) if isinstance(row, str) else next(answers) for row in built)
        return [self._values(answer) for answer in found]

    def close(self) -> None:
        """Ends the model's process, which otherwise ends with this object."""
        self._model.close()

    def _built(self, row: dict[str, Any]) -> Arrays | str:
        if self._build is None:
            self._build = RowBuilder(
                self._options.signature, self._signature, self._options.columns, row, root=self._root
            )
        try:
            return self._build(Record("", self._root, row))
        except ConfigError as error:
            return str(error)

    def _values(self, answer: Answer) -> dict[str, Any]:
        outputs = answer.outputs
        values = {
            name: plain_value(name, outputs[name], as_json=False) if name in outputs else None for name in self.outputs
        }
        return {**values, PROBLEM: answer.problem}


class FrameScorer:
    """A model for tables of pandas: a frame to the same with the outputs, and `problem`, as further columns.

    Args:
        export: as `RowScorer` takes it.
        signature: likewise.
        columns: likewise.
        outputs: likewise.
    """

    def __init__(
        self,
        export: str | Path,
        signature: str = "serving_default",
        columns: Mapping[str, str] | None = None,
        outputs: Sequence[str] = (),
    ) -> None:
        self._rows = RowScorer(export, signature, columns=columns, outputs=outputs)

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with the answers; raises ConfigError where a column has the name of an output."""
        names = [*self._rows.outputs, PROBLEM]
        twice = [name for name in names if name in frame.columns]
        if twice:
            raise ConfigError(f"column {twice[0]!r}: is the name of an output too; rename the column")
        import pandas as pd

        return pd.concat([frame, self.answers(frame)], axis=1)

    def close(self) -> None:
        """Ends the model's process, which otherwise ends with this object."""
        self._rows.close()

    def answers(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The outputs, and `problem`, with the index of the frame."""
        import pandas as pd

        answers = self._rows(frame.to_dict("records"))
        names = [*self._rows.outputs, PROBLEM]
        columns: Iterable[tuple[str, list[Any]]] = ((name, [answer[name] for answer in answers]) for name in names)
        return pd.DataFrame({name: pd.Series(values, frame.index, object) for name, values in columns})


def wanted_outputs(folder: Path, options: ScoreOptions) -> dict[str, ServedTensor]:
    """The outputs that are written, but for that of problems."""
    outputs = told_signature(folder, options).outputs
    return {name: outputs[name] for name in options.outputs or outputs if name != PROBLEM}


def _value(value: Any) -> Any:
    """A value of a table: arrays as lists, and what stands for a missing value as None."""
    if isinstance(value, np.ndarray):
        return [_value(each) for each in value.tolist()] if value.dtype == object else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return None if type(value).__name__ in ("NAType", "NaTType") else value
