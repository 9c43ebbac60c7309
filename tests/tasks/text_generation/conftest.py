"""One trained run, and its export, for all tests of the text generation pipeline; and the subject of its suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.command import skip_report
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.text_generation.small import SETTINGS, succeed, write_words


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("text") / "words.txt", 3000)


@pytest.fixture(scope="session")
def run(text: Path) -> Path:
    folder = text.parent / "runs" / "words"
    steps = ("--training.steps=150", "--training.evaluate_every=75")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder, "--data.source", text, *SETTINGS, *steps)
    return folder


@pytest.fixture(scope="session")
def exported(run: Path) -> Path:
    folder = run.parent / "models" / "words"
    succeed("export", "--run", run, "--to", folder)
    return folder / "1"


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)


@pytest.fixture(scope="module", params=["characters", pytest.param("subwords", marks=pytest.mark.slow)])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    other = write_words(folder / "other.txt", 2500, words=("zoo", "quay", "jazz"))
    words = write_words(folder / "words.txt", 2000 if request.param == "characters" else 12_000)
    tokens = {} if request.param == "characters" else {"data__tokens": request.param, "data__vocabulary": 90}
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(words), model__blend="ngram", training__compile="graph", **tokens),
            "zoo",
            options={"length": 30, "temperature": 0.5, "seed": 3},
            other={"data.source": str(other)},
        )
