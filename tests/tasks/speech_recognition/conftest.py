"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnapps.tasks.speech_recognition.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.speech_recognition.recordings import say, write_manifest
from tests.tasks.speech_recognition.spoken import SETTINGS


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    source = str(write_manifest(folder / "recordings", 24))
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=source, model__bidirectional=False),
            say("lo hi"),
            other={"data.source": str(write_manifest(folder / "others", 24, seed=1))},
            predicted=lambda found: found.transcript + "\n",
        )
