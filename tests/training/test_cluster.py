"""Who trains together: what Kubeflow, Ray, Slurm and people write into TF_CONFIG, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.training.cluster import Cluster, cluster_variable, parse_cluster
from rnnapps.training.workers import ALONE, join_workers

HOSTS = ["a:1", "b:2"]


def variable(task: Any, **cluster: Any) -> str:
    return json.dumps({"cluster": cluster, "task": task})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (variable({"type": "worker", "index": 1}, worker=HOSTS), Cluster(("a:1", "b:2"), 1)),
        (variable({"type": "worker", "index": "0"}, worker=HOSTS), Cluster(("a:1", "b:2"), 0)),  # Kubeflow's is a text
        (variable({"type": "worker", "index": 0}, chief=["c:9"], worker=HOSTS), Cluster(("c:9", "a:1", "b:2"), 1)),
        (variable({"type": "chief", "index": 0}, chief=["c:9"], worker=HOSTS), Cluster(("c:9", "a:1", "b:2"), 0)),
        (variable({"type": "worker", "index": 0}, worker=["[::1]:80"]), Cluster(("[::1]:80",), 0)),
    ],
)
def test_what_is_understood(text: str, expected: Cluster) -> None:
    assert parse_cluster(text) == expected


def test_what_is_written_is_understood() -> None:
    assert parse_cluster(cluster_variable(("a:1", "b:2", "c:3"), 2)) == Cluster(("a:1", "b:2", "c:3"), 2)


WORKER = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "TF_CONFIG is not set; on one machine start the workers with `rnnapps launch"),
        ("", "TF_CONFIG is not set"),
        ("{", "it is not JSON"),
        ("[]", 'it lacks the object "cluster"'),
        (json.dumps({"cluster": {"worker": HOSTS}}), 'it lacks the object "task"'),
        (variable(WORKER), "its cluster has no worker"),
        (variable(WORKER, worker="a:1"), '"worker" of its cluster must be a list of "host:port"'),
        (variable(WORKER, worker=["a"]), "'a' of its cluster is no host:port"),
        (variable(WORKER, worker=["a:0"]), "'a:0' of its cluster is no host:port"),
        (variable(WORKER, worker=["a:65536"]), "'a:65536' of its cluster is no host:port"),
        (variable(WORKER, worker=["http://a:1"]), "'http://a:1' of its cluster is no host:port"),
        (variable(WORKER, worker=["a:1", "a:1"]), "one address occurs twice"),
        (variable(WORKER, chief=HOSTS, worker=["c:3"]), "more than one chief"),
        (variable({"type": "ps", "index": 0}, worker=HOSTS, ps=["p:1"]), "its task has the type 'ps'"),
        (variable({"type": "evaluator", "index": 0}, worker=HOSTS), "its task has the type 'evaluator'"),
        (variable({"type": "worker", "index": 2}, worker=HOSTS), "the index 2, but the cluster lists 2"),
        (variable({"type": "worker", "index": -1}, worker=HOSTS), "the index -1"),
        (variable({"type": "worker", "index": True}, worker=HOSTS), "the index True"),
        (variable({"type": "worker"}, worker=HOSTS), "the index None"),
        (variable({"type": "chief", "index": 0}, worker=HOSTS), "the index 0, but the cluster lists 0"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(text: str | None, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cluster(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert '"task": {"type": "worker", "index": 0}' in str(caught.value)


def test_only_who_is_asked_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "{")
    assert join_workers(TrainingConfig()) is ALONE
    with pytest.raises(ConfigError, match="it is not JSON"):
        join_workers(TrainingConfig(strategy="multiworker"))
    monkeypatch.setenv("TF_CONFIG", cluster_variable(("a:1",), 0))
    assert join_workers(TrainingConfig(strategy="multiworker")) is ALONE
