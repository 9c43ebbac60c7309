"""Answers for rows and frames that a program holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.errors import ConfigError
from rnnapps.scoring.table import FrameScorer, RowScorer


@pytest.fixture(scope="module")
def running(models: Path) -> Iterator[FrameScorer]:
    scorer = FrameScorer(models / "toy", "running", {"values": "v"})
    yield scorer
    scorer.close()


def test_a_frame_comes_back_with_its_answers(running: FrameScorer) -> None:
    frame = pd.DataFrame({"v": [np.array([1.0, 2.0]), [3.0], "none", pd.NA], "id": list("abcd")}, index=[5, 5, 7, 8])
    found = running(frame)
    assert found.index.tolist() == [5, 5, 7, 8]
    assert found["id"].tolist() == list("abcd")
    assert found["total"].tolist() == [[1.0, 3.0], [3.0], None, None]
    assert found["problem"].tolist()[:2] == ["", ""]
    assert "input 'values'" in found["problem"].tolist()[2]
    assert "input 'values' is missing" in found["problem"].tolist()[3]


def test_no_column_is_overwritten(running: FrameScorer) -> None:
    with pytest.raises(ConfigError, match="column 'total': is the name of an output too"):
        running(pd.DataFrame({"v": [[1.0]], "total": [1]}))


def test_an_output_that_does_not_exist(models: Path) -> None:
    with pytest.raises(ConfigError, match="has no output 'none'; it has problem, total"):
        RowScorer(models / "toy", "running", outputs=["none"])
