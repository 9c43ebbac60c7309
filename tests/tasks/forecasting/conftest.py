"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from rnnapps.tasks.forecasting.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.forecasting.forecasts import SETTINGS, wave, write_wave


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    source = write_wave(folder / "wave.csv", wave())
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(source)),
            pd.read_csv(source).iloc[:60],
            other={"data.source": str(write_wave(folder / "other.csv", wave(seed=1), names="east,north"))},
            streamed=lambda forecasts: np.ravel(forecasts[-1].mean, order="F").tolist(),
            predicted=lambda steps: steps["mean"].tolist(),
        )
