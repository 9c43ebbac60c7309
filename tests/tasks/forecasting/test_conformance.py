"""The pipeline obeys the contract."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnnapps.tasks.forecasting.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.forecasting.forecasts import SETTINGS, wave, write_wave


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        source = write_wave(folder / "wave.csv", wave())
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(source)),
            pd.read_csv(source).iloc[:60],
            other={"data.source": str(write_wave(folder / "other.csv", wave(seed=1), names="east,north"))},
            streamed=lambda forecasts: np.ravel(forecasts[-1].mean, order="F").tolist(),
            predicted=lambda steps: steps["mean"].tolist(),
        )
