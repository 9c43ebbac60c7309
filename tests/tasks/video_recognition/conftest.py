"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.video_recognition.video_files import moving_square, write_moves
from tests.tasks.video_recognition.videos import SETTINGS


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    with without_reports(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnapps.tasks.video_recognition.baselines.STILL_STEPS", 3)
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_moves(folder / "moves", 8))),
            moving_square("left"),
            other={"data.source": str(write_moves(folder / "others", 8, moves=("left", "up")))},
            streamed=lambda changes: changes[-1].label,
            predicted=lambda found: found.label,
        )
