"""The pipeline obeys the contract."""

from __future__ import annotations

import pytest

from rnnapps.tasks.music_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import PipelineConformance, settings_of
from tests.tasks.music_generation.midi_bytes import scales, write_scales
from tests.tasks.music_generation.pieces import SETTINGS


class TestConformance(PipelineConformance):
    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> PipelineSubject:
        folder = tmp_path_factory.mktemp("conformance")
        return PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_scales(folder / "scales", 8))),
            scales(60),
            options={"bars": 2, "seed": 1},
            streamed=lambda changes: [sum(len(change.note_on) for change in changes)],
            predicted=lambda piece: [int((piece.notes[:, 0] >= piece.primer_steps).sum())],
        )
