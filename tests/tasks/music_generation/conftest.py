"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnapps.tasks.music_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.music_generation.midi_bytes import scales, write_scales
from tests.tasks.music_generation.pieces import NETWORK, SETTINGS


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of((*SETTINGS, *NETWORK["frames"]), data__source=str(write_scales(folder / "scales", 8))),
            scales(60),
            options={"bars": 2, "seed": 1},
            streamed=lambda changes: [sum(len(change.note_on) for change in changes)],
            predicted=lambda piece: [int((piece.notes[:, 0] >= piece.primer_steps).sum())],
        )
