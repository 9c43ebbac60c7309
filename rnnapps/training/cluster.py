"""Who trains together, as `TF_CONFIG` says it: the variable that Kubeflow, Ray, Slurm's resolver and people set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from rnnapps.errors import ConfigError

__all__ = ["VARIABLE", "Cluster", "cluster_variable", "parse_cluster"]

VARIABLE = "TF_CONFIG"
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})")
_EXAMPLE = '{"cluster": {"worker": ["host0:3456", "host1:3456"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """The workers of a training.

    Attributes:
        addresses: "host:port" of each; the first is that of the chief, which keeps the run folder.
        index: which of them this process is.
    """

    addresses: tuple[str, ...]
    index: int


def cluster_variable(addresses: tuple[str, ...], index: int) -> str:
    """The value of `TF_CONFIG` of one worker."""
    return json.dumps({"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": index}})


def parse_cluster(text: str | None) -> Cluster:
    """Reads the value of `TF_CONFIG`.

    Its cluster has workers and, if it likes, one chief, who is then the first of all.

    Args:
        text: the value; None where the variable is not set.

    Raises:
        ConfigError: there is none, or it does not say who trains together and who of them this process is.
    """
    if not text:
        raise ConfigError(
            f"training.strategy multiworker: the variable {VARIABLE} is not set; on one machine start the workers with "
            f"`rnnapps launch --workers N -- ...`, elsewhere set it to {_EXAMPLE}"
        )
    cluster, task = _parts(text)
    addresses = [*_addresses(cluster, "chief"), *_addresses(cluster, "worker")]
    if len(_addresses(cluster, "chief")) > 1:
        raise _wrong("its cluster has more than one chief; make the others workers")
    if not addresses:
        raise _wrong("its cluster has no worker")
    if len(set(addresses)) < len(addresses):
        raise _wrong("one address occurs twice; each worker needs a port of its own")
    kind, index = task.get("type"), task.get("index")
    if kind not in ("chief", "worker"):
        raise _wrong(f"its task has the type {kind!r}; only a chief and workers train together")
    own = _addresses(cluster, kind)
    if isinstance(index, bool) or not str(index).isdigit() or int(str(index)) >= len(own):
        raise _wrong(f"its task has the index {index!r}, but the cluster lists {len(own)} of the type {kind!r}")
    return Cluster(tuple(addresses), addresses.index(own[int(str(index))]))


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The objects "cluster" and "task"."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _wrong(f"it is not JSON ({error})") from None
    parts = [value.get(name) if isinstance(value, dict) else None for name in ("cluster", "task")]
    for name, part in zip(("cluster", "task"), parts, strict=True):
        if not isinstance(part, dict):
            raise _wrong(f'it lacks the object "{name}"')
    cluster, task = parts
    assert cluster is not None and task is not None
    return cluster, task


def _addresses(cluster: dict[str, Any], kind: str) -> list[str]:
    """The addresses of the tasks of one kind."""
    found = cluster.get(kind, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _wrong(f'"{kind}" of its cluster must be a list of "host:port"')
    for address in found:
        match = _ADDRESS.fullmatch(address)
        if match is None or not 0 < int(match[2]) < 2**16:
            raise _wrong(f"{address!r} of its cluster is no host:port")
    return found


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"{VARIABLE}: {what}; expected such as {_EXAMPLE}")
