"""The pipeline obeys the contract."""

from __future__ import annotations

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.text_generation.small import SETTINGS, write_words


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        other = write_words(folder / "other.txt", 300, words=("zoo", "quay", "jazz"))
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_words(folder / "words.txt", 600)), training__compile="graph"),
            "zoo",
            options={"length": 30, "temperature": 0.5, "seed": 3},
            other={"data.source": str(other)},
        )
