"""Recipes for schedulers, run dry: what stands for a scheduler's programs is written here, what they start is real."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import rnnapps
from rnnapps.cli.main import main
from rnnapps.training.cluster import Cluster, parse_cluster
from rnnapps.verbs import launch

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
WORDS = ["text_generation", "train", "--config", "large", "--data.source", "a book.txt"]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs that come before those of the machine; `rnnapps` notes what it is given."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program(folder, "rnnapps", 'printf "%s\\n" "$*" >> "$NOTES"')
    return folder


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


def environment(programs: Path, **more: str) -> dict[str, str]:
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NOTES": str(programs / "notes"), **more}


def joined(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Cluster, list[str]]:
    """The cluster that a worker finds, and its command, when `rnnapps` is called with these words."""
    found: list[Any] = []

    def execute(_: str, command: list[str], variables: dict[str, str]) -> None:
        found.extend([parse_cluster(variables["TF_CONFIG"]), command])
        raise SystemExit(0)

    monkeypatch.setattr(launch.os, "execvpe", execute)
    assert main(words) == 0
    return found[0], found[1]


def test_slurm(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "scontrol", '[ "$1 $2 $3" = "show hostnames node[7-8]" ] && printf "node7\\nnode8\\n"')
    tasks = 'while [ "${1#-}" != "$1" ]; do shift; done; for n in 0 1; do SLURM_PROCID=$n "$@"; done'
    program(programs, "srun", tasks)
    variables = environment(programs, SLURM_JOB_NODELIST="node[7-8]", SLURM_JOB_ID="5")
    subprocess.run(["bash", RECIPES / "slurm.sh", *WORDS], env=variables, check=True)
    lines = (programs / "notes").read_text().splitlines()
    assert lines == [f"launch --hosts node7 node8 --index {number} -- {' '.join(WORDS)}" for number in range(2)]
    cluster, command = joined(lines[1].split(), monkeypatch)
    assert cluster == Cluster(("node7:3456", "node8:3456"), 1)
    assert command[1:5] == ["-m", "rnnapps", "text_generation", "train"]
    assert command[-2:] == ["--training.strategy", "multiworker"]


def test_slurm_saves_and_queues_the_job_again_before_its_time_is_over(programs: Path) -> None:
    """The workers are given the time to save: the script waits for them, and only then queues the job."""
    program(programs, "scontrol", '[ "$1" = show ] && echo node7 || echo "$*" >> "$NOTES"')
    program(
        programs, "srun", "echo $$ > $NOTES.pid; trap 'sleep .2; echo saved >> $NOTES; exit 143' TERM; sleep 30 & wait"
    )
    program(programs, "scancel", '[ "$*" = "--signal=TERM 5.0" ] && kill -TERM "$(cat "$NOTES.pid")"')
    variables = environment(programs, SLURM_JOB_NODELIST="node7", SLURM_JOB_ID="5")
    process = subprocess.Popen(["bash", RECIPES / "slurm.sh", *WORDS], env=variables)
    deadline = time.monotonic() + 20
    while not (programs / "notes.pid").exists() or not (programs / "notes.pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert (programs / "notes").read_text().splitlines() == ["saved", "requeue 5"]


def documents(name: str) -> dict[str, Any]:
    """Kind -> document of a file of YAML."""
    return {document["kind"]: document for document in yaml.safe_load_all((RECIPES / name).read_text())}


def started(programs: Path, command: Sequence[str], index: int) -> list[str]:
    """The words that a container's command gives `rnnapps`."""
    subprocess.run(command, env=environment(programs, JOB_COMPLETION_INDEX=str(index)), check=True)
    return (programs / "notes").read_text().splitlines()[-1].split()


def test_kubernetes_job(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods of an indexed job are called after it and their index; the service gives them names of hosts."""
    found = documents("kubernetes_job.yaml")
    job, service = found["Job"], found["Service"]
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    name = job["metadata"]["name"]
    assert spec["completionMode"] == "Indexed" and spec["completions"] == spec["parallelism"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": name}
    assert service["spec"]["clusterIP"] == "None" and service["spec"]["publishNotReadyAddresses"]
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == {"job-name": name}
    words = started(programs, pod["containers"][0]["command"], 1)
    cluster, _ = joined(words, monkeypatch)
    hosts = [f"{name}-{index}.{pod['subdomain']}:3456" for index in range(spec["completions"])]
    assert cluster == Cluster(tuple(hosts), 1)


def test_kubeflow_trainer(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JobSet calls its pods after itself, the replicated job, the number of the job, and the index."""
    found = documents("kubeflow_trainer.yaml")
    runtime, training = found["ClusterTrainingRuntime"], found["TrainJob"]
    assert training["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"]
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    name, trainer = training["metadata"]["name"], training["spec"]["trainer"]
    cluster, _ = joined(started(programs, trainer["command"], 1), monkeypatch)
    hosts = [f"{name}-{node['name']}-0-{index}.{name}:3456" for index in range(trainer["numNodes"])]
    assert cluster == Cluster(tuple(hosts), 1)


def test_ray_train(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker makes the same call; Ray has set TF_CONFIG by then."""
    calls: list[Any] = []

    class Trainer:
        def __init__(self, worker: Any, *, train_loop_config: Any, scaling_config: Any, run_config: Any) -> None:
            self.worker, self.settings, self.scaling = worker, train_loop_config, scaling_config
            assert run_config.failure_config.max_failures > 0

        def fit(self) -> None:
            for _ in range(self.scaling.num_workers):
                self.worker(json.loads(json.dumps(self.settings)))

    train = types.ModuleType("ray.train")
    for name in ("FailureConfig", "RunConfig", "ScalingConfig"):
        setattr(train, name, lambda **values: types.SimpleNamespace(**values))
    tensorflow = types.SimpleNamespace(TensorflowTrainer=Trainer)
    for name, module in {
        "ray": types.ModuleType("ray"),
        "ray.train": train,
        "ray.train.tensorflow": tensorflow,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(rnnapps, "train", lambda *given, **settings: calls.append((given, settings)), raising=False)
    monkeypatch.setattr(sys, "argv", ["ray_train.py", "--workers", "2", "--run", "r", "--data", "d"])
    recipe = importlib.util.spec_from_file_location("ray_train", RECIPES / "ray_train.py")
    assert recipe is not None and recipe.loader is not None
    module = importlib.util.module_from_spec(recipe)
    recipe.loader.exec_module(module)
    module.main()
    assert calls == [(("text_generation", "d"), {"run": "r", "config": "large", "strategy": "multiworker"})] * 2
