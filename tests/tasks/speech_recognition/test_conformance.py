"""The pipeline obeys the contract."""

from __future__ import annotations

import pytest

from rnnapps.tasks.speech_recognition.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.speech_recognition.recordings import say, write_manifest
from tests.tasks.speech_recognition.spoken import SETTINGS


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        source = str(write_manifest(folder / "recordings", 24))
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=source, model__bidirectional=False),
            say("lo hi"),
            other={"data.source": str(write_manifest(folder / "others", 24, seed=1))},
            predicted=lambda found: found.transcript + "\n",
        )
