"""Answers as a column of a frame of Spark, by local workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError

# An engine warns of its own code, too; such warnings are shown.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def test_numbers_of_all_lengths(models: Path, spark: Any) -> None:
    from rnnapps.scoring.on_spark import answers

    rows = [(n, [float(n)] * (n % 5)) for n in range(40)] + [(40, None)]
    frame = spark.createDataFrame(rows, "id int, v array<double>").repartition(4)
    asked = frame.withColumn("answer", answers(models / "toy", {"values": "v"}, signature="running"))
    assert asked.schema["answer"].dataType.simpleString() == "struct<total:array<float>,problem:string>"
    found = {row.id: row.answer for row in asked.collect()}
    for n in range(40):
        assert found[n].total == [float(n * (k + 1)) for k in range(n % 5)]
        assert found[n].problem == ""
    assert found[40].total is None
    assert "input 'values' is missing" in found[40].problem


def test_texts_and_bytes(models: Path, spark: Any) -> None:
    from pyspark.sql import functions as F

    from rnnapps.scoring.on_spark import answers

    frame = spark.createDataFrame([("ab",), ("größer",)], "text string")
    asked = frame.select(answers(models / "toy", {"text": F.lower("text")}, outputs=["wave_bytes", "upper"]).alias("a"))
    assert asked.select("a.*").orderBy("upper").collect() == [
        (bytearray(b"ab\xff"), "AB", ""), (bytearray("größer".encode() + b"\xff"), "GRÖSSER", ""),
    ]  # fmt: skip


def test_types_hold_every_value(models: Path, spark: Any) -> None:
    from rnnapps.scoring.on_spark import answers

    kinds = {"single": 0.5, "double": 0.1, "long": 2**53 + 1, "short": -(2**31), "small": 255, "truth": True}
    types = "single float, double double, long bigint, short int, small int, truth boolean"
    frame = spark.createDataFrame([tuple(kinds.values())], types)
    (row,) = frame.select(answers(models / "toy", {name: name for name in kinds}, signature="numbers")).collect()
    assert row[0].asDict() == {f"{name}_again": value for name, value in kinds.items()} | {"problem": ""}


def test_mistakes_are_told_before_anything_runs(models: Path, spark: Any) -> None:
    from rnnapps.scoring.on_spark import answers

    with pytest.raises(ConfigError, match="has no output 'none'"):
        answers(models / "toy", {"text": "text"}, outputs=["none"])
