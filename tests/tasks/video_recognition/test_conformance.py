"""The pipeline obeys the contract."""

from __future__ import annotations

import pytest

from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.video_recognition.video_files import moving_square, write_moves
from tests.tasks.video_recognition.videos import SETTINGS


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_moves(folder / "moves", 8))),
            moving_square("left"),
            other={"data.source": str(write_moves(folder / "others", 8, moves=("left", "up")))},
            streamed=lambda changes: changes[-1].label,
            predicted=lambda found: found.label,
        )
