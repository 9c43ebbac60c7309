"""Two processes that train together: killed, stopped and started again, they end as if nothing had happened."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from rnnapps.training.cluster import cluster_variable
from rnnapps.training.run import RunFolder
from tests.training import tiny

pytestmark = pytest.mark.slow

CONFIG = dataclasses.replace(
    tiny.CONFIG, steps=60, evaluate_every=20, batch_size=4, strategy="multiworker", compile="graph"
)
NOTICED_SECONDS = 30.0
"""So long the others may take to end when one was killed."""


@dataclasses.dataclass
class Pair:
    """Two workers that were started on one run.

    Attributes:
        processes: worker 0 and worker 1.
        folders: the run folder, and the scratch folder of worker 1.
    """

    processes: list[subprocess.Popen[bytes]]
    folders: list[Path]

    def codes(self, timeout: float = 240.0) -> list[int]:
        """Exit codes, once both have ended."""
        return [process.wait(timeout) for process in self.processes]

    def printed(self, worker: int) -> str:
        """What a worker has printed since its folder was made."""
        return (self.folders[worker] / tiny.LOG).read_text()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Pair]]:
    """Starts two workers on a run folder; none outlives the tests."""
    pairs: list[Pair] = []
    scratch = tmp_path_factory.mktemp("scratch")

    def started(run: Path, *, pause: float = 0.0) -> Pair:
        with socket.socket() as first, socket.socket() as second:
            for each in (first, second):
                each.bind(("127.0.0.1", 0))
            addresses = tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in (first, second))
        folders = [run, scratch / f"{run.name} worker 1"]
        pairs.append(Pair([_process(folders, index, addresses, pause) for index in range(2)], folders))
        return pairs[-1]

    yield started
    for pair in pairs:
        for process in pair.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def undisturbed(start: Callable[..., Pair], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two workers that nobody disturbed."""
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    assert start(run).codes() == [0, 0]
    return run


def _process(folders: list[Path], index: int, addresses: tuple[str, ...], pause: float) -> subprocess.Popen[bytes]:
    arguments = f"{str(folders[index])!r}, 0.0, {pause}, test_workers.CONFIG"
    code = f"from tests.training import test_workers, tiny; tiny.main({arguments})"
    variables = {"TF_CONFIG": cluster_variable(addresses, index), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    variables |= {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **variables}, stderr=subprocess.DEVNULL)


def ending(run: Path) -> tuple[dict[str, bytes], list[str], list[str]]:
    """Final variables bit for bit, metrics without times, and samples."""
    folder = RunFolder(run)
    arrays, metadata = read_checkpoint(folder.state_dir, checkpoint_steps(folder.state_dir)[-1])
    assert metadata["step"] == CONFIG.steps
    rows = [str({name: row[name] for name in row if name != "elapsed_seconds"}) for row in folder.read_metrics()]
    return {key: array.tobytes() for key, array in arrays.items()}, rows, [str(row) for row in folder.read_samples()]


def wait_for(run: Path, step: int) -> None:
    """Returns when a run has saved the state of a step."""
    deadline = time.monotonic() + 240
    while not any(saved >= step for saved in checkpoint_steps(run / "state")):
        assert time.monotonic() < deadline, "no state was saved"
        time.sleep(0.01)


def test_killed_and_started_again_they_end_with_the_same_bits(
    start: Callable[..., Pair], undisturbed: Path, tmp_path: Path
) -> None:
    """Kill -9 of either worker: the other one says so in one line, within 30 seconds, and a restart loses nothing."""
    run, moments = tmp_path / "killed", random.Random(0)
    for victim, at in ((1, 0), (0, 20)):
        pair = start(run, pause=0.5)
        wait_for(run, at)
        time.sleep(moments.uniform(0.0, 0.4))
        pair.processes[victim].kill()
        killed = time.monotonic()
        assert pair.processes[1 - victim].wait(NOTICED_SECONDS) == 2
        seconds = time.monotonic() - killed
        line = pair.printed(1 - victim).splitlines()[-1]
        assert line.startswith(f"worker {1 - victim} of 2: another worker has ended or cannot be reached any more (")
        assert line.endswith("training goes on from the last saved state")
        print(f"worker {victim} killed at step {at} or behind it; the other one ended {seconds:.1f} s later: {line}")
    assert start(run).codes() == [0, 0]
    assert ending(run) == ending(undisturbed)


def test_a_signal_to_one_stops_all_behind_one_step(
    start: Callable[..., Pair], undisturbed: Path, tmp_path: Path
) -> None:
    """Of the first, in the middle of an evaluation; of the other, whenever."""
    run = tmp_path / "stopped"
    for told in (0, 1):
        pair = start(run, pause=1.5)
        wait_for(run, 20 * told)
        pair.processes[told].send_signal(signal.SIGTERM)
        assert pair.codes() == [143, 143]
        step = checkpoint_steps(run / "state")[-1]
        assert step < CONFIG.steps
        assert f"stopped by SIGTERM at step {step} of 60; the state is saved" in pair.printed(told)
        assert f"stopped by a signal to another worker at step {step} of 60" in pair.printed(1 - told)
    assert start(run).codes() == [0, 0]
    assert ending(run) == ending(undisturbed)
