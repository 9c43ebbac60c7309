"""Several workers on one machine: told of each other, heard, and ended together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnapps.cli.main import main
from rnnapps.errors import ConfigError
from rnnapps.verbs.launch import Waits, gpus_of_workers, launch, worker_command

QUICK = Waits(alone=0.2, asked=0.3)


INDEX = "import json, os, signal, sys, time\nindex = json.loads(os.environ['TF_CONFIG'])['task']['index']\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", INDEX + code]


def test_each_is_told_of_all_and_its_lines_stand_behind_its_number(capfd: pytest.CaptureFixture[str]) -> None:
    code = "print(os.environ['TF_CONFIG']); print('note', index, file=sys.stderr)"
    assert launch(python(code), 2) == 0
    out, err = capfd.readouterr()
    first = json.loads(out)
    assert first["task"] == {"type": "worker", "index": 0}
    lines = sorted(err.splitlines())
    assert lines[0] == "[0] note 0"
    assert lines[1] == "[1] note 1"
    second = json.loads(lines[2].removeprefix("[1] "))
    assert second == {"cluster": first["cluster"], "task": {"type": "worker", "index": 1}}
    ports = [int(address.removeprefix("127.0.0.1:")) for address in first["cluster"]["worker"]]
    assert len(set(ports)) == 2 and min(ports) > 0


def test_processors_are_shared(capfd: pytest.CaptureFixture[str]) -> None:
    processors = sorted(os.sched_getaffinity(0))
    assert launch(python("time.sleep(.2); print(sorted(os.sched_getaffinity(0)), file=sys.stderr)"), 2) == 0
    lines = sorted(capfd.readouterr().err.splitlines())
    half = len(processors) // 2
    shares = [processors[:half], processors[half : 2 * half]] if half else [processors] * 2
    assert lines == [f"[{index}] {share}" for index, share in enumerate(shares)]


def test_one_that_fails_ends_all_with_its_code() -> None:
    started = time.monotonic()
    assert launch(python("sys.exit(7) if index else time.sleep(60)"), 2, waits=QUICK) == 7
    assert launch(python("os.kill(os.getpid(), 9) if index else time.sleep(60)"), 2, waits=QUICK) == 137
    deaf = "signal.signal(15, signal.SIG_IGN)\nsys.exit(3) if index else time.sleep(60)"
    assert launch(python(deaf), 2, waits=QUICK) == 3
    assert time.monotonic() - started < 20


def test_signals_are_passed_on(tmp_path: Path) -> None:
    code = (
        f"here = {str(tmp_path)!r}\nsignal.signal(15, lambda *_: sys.exit(143))\n"
        "open(f'{here}/{index}', 'w').close()\ntime.sleep(60)"
    )
    start = f"from rnnapps.verbs.launch import launch; import sys; sys.exit(launch({python(code)!r}, 2))"
    process = subprocess.Popen([sys.executable, "-c", start])
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143


def test_the_command_of_a_worker() -> None:
    start = [sys.executable, "-m", "rnnapps"]
    words = ["forecasting", "train", "--run", "a"]
    assert worker_command(words) == [*start, *words, "--training.strategy", "multiworker"]
    for given in (["--training.strategy=multiworker"], ["--training.strategy", "multiworker"]):
        assert worker_command([*words, *given]) == [*start, *words, *given]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--workers", "2", "--", "forecasting", "predict"], "not `forecasting predict`"),
        (["--", "serve"], "not `serve`"),
        ([], "PIPELINE train or PIPELINE finetune expected behind --"),
        (["--workers", "0", "--", "forecasting", "train"], "--workers must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_shared_is_refused(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["launch", *words]) == 2
    assert told in capsys.readouterr().err


def test_each_has_a_gpu_of_its_own() -> None:
    assert gpus_of_workers(2, {}, 0) == []
    assert gpus_of_workers(2, {}, 4) == ["0", "1"]
    assert gpus_of_workers(2, {"CUDA_VISIBLE_DEVICES": "3,GPU-1"}, 4) == ["3", "GPU-1"]
    assert gpus_of_workers(2, {"CUDA_VISIBLE_DEVICES": "-1"}, 4) == []
    assert gpus_of_workers(2, {"CUDA_VISIBLE_DEVICES": ""}, 4) == []
    with pytest.raises(ConfigError, match="--workers 3: each needs a GPU of its own, but there are 2"):
        gpus_of_workers(3, {"CUDA_VISIBLE_DEVICES": "0,1"}, 4)
