from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnapps.scoring.options import Scored, ScoreOptions
from rnnapps.scoring.score import score
from tests.serving.conftest import models as models  # the toy model, exported once

ROWS = 120


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two kinds of files, with rows that the model answers, that it refuses and that are none."""
    folder = tmp_path_factory.mktemp("rows")
    lines = [
        json.dumps({"key": f"j{n}", "values": [float(n)] * (n % 9 + 1) if n % 13 else "none"}) for n in range(ROWS)
    ]
    lines[5] = "{"
    (folder / "a.jsonl").write_text("\n".join(lines))
    (folder / "b.csv").write_text("key,values\n" + "\n".join(f"c{n},{n}" for n in range(7)))
    (folder / "c.jsonl").write_text("\n".join(lines[:31]))
    return folder


def by(engine: str, models: Path, rows: Path, to: Path, **options: str) -> Scored:
    """Scores the rows by an engine in parts that lie across the files."""
    told = {"workers": 2, "engine_options": options} if engine != "local" else {}
    return score(models / "toy", [rows], to, ScoreOptions("running", key=("key",), part_rows=17, engine=engine, **told))


def written(folder: Path) -> dict[str, bytes]:
    """What stands in the parts."""
    return {path.name: path.read_bytes() for path in folder.glob("part-*")}


def killed_and_gone_on_with(engine: str, models: Path, rows: Path, to: Path) -> list[int]:
    """Kills the command twice, when it has written a part more, and lets it end; returns the parts of each time."""
    told = ["--signature", "running", "--key", "key", "--part_rows", "17", "--workers", "2"]
    command = [sys.executable, "-m", "rnnapps", "score", str(models / "toy"), str(rows), "--to", str(to), *told]
    counts = [0]
    for kill in (True, True, False):
        process = subprocess.Popen([*command, "--engine", engine], stdout=subprocess.DEVNULL)
        while kill and process.poll() is None and len(finished(to)) == counts[-1]:
            time.sleep(0.001)
        if kill:
            os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == (-signal.SIGKILL if kill else 0)
        counts.append(len(finished(to)))
    return counts[1:]


def finished(folder: Path) -> list[Path]:
    """The parts that are there."""
    return list(folder.glob("part-*[0-9].jsonl"))
