"""The pipeline obeys the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import check_property, every_property, settings_of, without_reports
from tests.tasks.text_generation.small import SETTINGS, write_words


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    other = write_words(folder / "other.txt", 300, words=("zoo", "quay", "jazz"))
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(write_words(folder / "words.txt", 600)), training__compile="graph"),
            "zoo",
            options={"length": 30, "temperature": 0.5, "seed": 3},
            other={"data.source": str(other)},
        )


@every_property()
def test_property(subject: PipelineSubject, name: str) -> None:
    check_property(subject, name)
