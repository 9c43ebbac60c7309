"""The pipeline with small data and a small network, for the conformance suite and the walk of its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnapps.tasks.translation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.translation.sentences import SETTINGS, write_pairs


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    other = write_pairs(folder / "other.tsv", 60, seed=1, extra={"bip": "blue"})
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_pairs(folder / "pairs.tsv", 60)), decoding__beam_width=1),
            "kos mul.",
            other={"data.source": str(other)},
            streamed=lambda pieces: pieces[-1],
            predicted=lambda translated: translated,
        )
