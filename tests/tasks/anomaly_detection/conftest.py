"""One trained run, and its export, for all tests of the pipeline; and the subject of its suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.anomaly_detection.watched import SETTINGS, succeed, write_rows
from tests.tasks.command import skip_report
from tests.tasks.conformance import settings_of, without_reports


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "machine.csv")


@pytest.fixture(scope="session")
def watcher(table: Path) -> Path:
    folder = table.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder, "--data.source", table, *SETTINGS)
    return folder


@pytest.fixture(scope="session")
def exported(watcher: Path) -> Path:
    succeed("export", "--run", watcher, "--to", watcher.parent / "models")
    return watcher.parent / "models" / "1"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSubject]:
    folder = tmp_path_factory.mktemp("conformance")
    source = write_rows(folder / "rows.csv")
    frame = pd.read_csv(source).drop(columns="fault").iloc[:120]
    with without_reports():
        yield PipelineSubject(
            PIPELINE,
            folder,
            settings_of(SETTINGS, data__source=str(source)),
            frame,
            options={"rows": True},
            other={"data.source": str(write_rows(folder / "other.csv", names=("angle", "other", "noise")))},
            streamed=lambda rows: [row.score for row in rows],
            predicted=lambda rows: rows["score"].tolist(),
        )
