"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.anomaly_detection.watched import SETTINGS, write_rows
from tests.tasks.conformance import settings_of, without_reports


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    source = write_rows(folder / "rows.csv")
    frame = pd.read_csv(source).drop(columns="fault").iloc[:120]
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(source)),
            frame,
            options={"rows": True},
            other={"data.source": str(write_rows(folder / "other.csv", names=("angle", "other", "noise")))},
            streamed=lambda rows: [row.score for row in rows],
            predicted=lambda rows: rows["score"].tolist(),
        )
