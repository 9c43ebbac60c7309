"""The pipeline obeys the contract."""

from __future__ import annotations

import pytest

from rnnapps.tasks.translation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.translation.sentences import SETTINGS, write_pairs


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        other = write_pairs(folder / "other.tsv", 80, seed=1, extra={"bip": "blue"})
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_pairs(folder / "pairs.tsv", 80))),
            "kos mul.",
            other={"data.source": str(other)},
            streamed=lambda pieces: pieces[-1],
            predicted=lambda translated: translated,
        )
