"""One trained run, and its export, for all tests of the text generation pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.command import skip_report
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
