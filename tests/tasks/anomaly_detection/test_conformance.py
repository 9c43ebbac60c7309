"""The pipeline obeys the contract."""

from __future__ import annotations

import pandas as pd
import pytest

from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.anomaly_detection.watched import SETTINGS, write_rows
from tests.tasks.conformance import PipelineConformance, settings_of


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        source = write_rows(folder / "rows.csv")
        frame = pd.read_csv(source).drop(columns="fault").iloc[:120]
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(source)),
            frame,
            options={"rows": True},
            other={"data.source": str(write_rows(folder / "other.csv", names=("angle", "other", "noise")))},
            streamed=lambda rows: [row.score for row in rows],
            predicted=lambda rows: rows["score"].tolist(),
        )
