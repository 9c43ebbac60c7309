"""Answers as a column of Spark, by a `pandas_udf` that holds the model."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from rnnapps.contract.served import ServedTensor
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.export.versions import find_version
from rnnapps.scoring.options import ScoreOptions
from rnnapps.scoring.table import FrameScorer, wanted_outputs

__all__ = ["answers"]

_TYPES: dict[str, T.DataType] = {
    "bool": T.BooleanType(),
    "float32": T.FloatType(),
    "float64": T.DoubleType(),
    "int8": T.ByteType(),
    "uint8": T.ShortType(),
    "int16": T.ShortType(),
    "int32": T.IntegerType(),
    "uint32": T.LongType(),
    "int64": T.LongType(),
}
"""Type of an output -> the narrowest of Spark that holds all of its values."""


def answers(
    export: str | Path,
    columns: Mapping[str, str | Column],
    *,
    signature: str = "serving_default",
    outputs: Sequence[str] = (),
) -> Column:
    """The answers of an exported model to rows of a frame, as one column of structures.

    Each Python worker of Spark starts the model once and keeps it. The export lies where all of them see it under the
    same name, and rnnapps is installed beside their Python.

    Args:
        export: version folder, or folder of versions, whose newest is taken.
        columns: input -> the column that it is read from.
        signature: of the model that is asked.
        outputs: those that are wanted; all where it is empty.

    Returns:
        A column of one field for each output, and `problem`: empty, or why the row has no outputs.

    Raises:
        ConfigError: there is no such signature or output.
        ExportError: the export cannot be read.
    """
    folder = str(find_version(Path(export)))
    tensors = wanted_outputs(Path(folder), ScoreOptions(signature, outputs=tuple(outputs)))
    fields = [T.StructField(name, _type(name, tensor)) for name, tensor in tensors.items()]
    names = tuple(tensors)

    def ask(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        scorer = _scorer(folder, signature, names)
        return map(scorer.answers, frames)

    # Spark looks at the types of the annotations, which must be objects here.
    ask.__annotations__ = {"frames": Iterator[pd.DataFrame], "return": Iterator[pd.DataFrame]}
    column = F.pandas_udf(ask, T.StructType([*fields, T.StructField(PROBLEM, T.StringType())]))
    given = [(F.col(each) if isinstance(each, str) else each).alias(name) for name, each in columns.items()]
    return column(F.struct(*given))


@functools.cache
def _scorer(folder: str, signature: str, outputs: tuple[str, ...]) -> FrameScorer:
    """The model of this Python worker."""
    return FrameScorer(folder, signature, outputs=outputs)


def _type(name: str, tensor: ServedTensor) -> T.DataType:
    """The type of an output without its batch."""
    if tensor.dtype == "string":
        kind: Any = T.BinaryType() if name.endswith("_bytes") else T.StringType()
    else:
        kind = _TYPES[tensor.dtype]
    for _ in tensor.shape[1:]:
        kind = T.ArrayType(kind)
    return kind
