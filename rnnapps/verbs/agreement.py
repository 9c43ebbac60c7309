"""What all workers of a training must have alike: settings, data, preprocessor; told by the first to the others."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError
from rnnapps.verbs.settings import flatten

if TYPE_CHECKING:
    from rnnapps.training.workers import Workers

__all__ = ["Told", "hear_chief", "require_shareable", "tell_followers"]

AnyPipeline = Pipeline[Any, Any, Any]
OWN = frozenset({"data.source"})
"""Settings that may differ from worker to worker: where the data lie. Their digest must not."""


@dataclass(frozen=True)
class Told:
    """What the first worker has told.

    Attributes:
        preprocessor: that of the run.
        frozen: layers that keep their weights.
    """

    preprocessor: Any
    frozen: Sequence[str]


def require_shareable(config: Any, workers: Workers) -> None:
    """Raises ConfigError where a setting cannot be had by several workers."""
    if workers.count > 1 and config.training.refit:
        raise ConfigError(
            "training.refit: several workers cannot train anew; leave it out, and give it afterwards to `train --run` "
            "with --training.strategy single, which goes on with the run"
        )


def tell_followers(
    workers: Workers, config: Any, splits: Splits, *, preprocessor: Any, origin: Mapping[str, Any] | None
) -> None:
    """The chief's part: settings, digest of the data, frozen layers and the preprocessor, told to the others."""

    def beginning() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            preprocessor.save(Path(folder))
            files = {
                str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode()
                for path in sorted(Path(folder).rglob("*"))
                if path.is_file()
            }
        frozen = list((origin or {}).get("freeze", ()))
        return {"settings": _settings(config), "data": splits.digest(), "freeze": frozen, "preprocessing": files}

    workers.by_chief(beginning)


def hear_chief(workers: Workers, pipeline: AnyPipeline, config: Any, splits: Splits) -> Told:
    """The others' part.

    Raises:
        ConfigError: settings or data are not those of the chief.
    """
    told = workers.by_chief(dict)
    _require_alike(told, config, splits, workers)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in told["preprocessing"].items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        return Told(pipeline.load_preprocessor(Path(folder)), told["freeze"])


def _require_alike(told: Mapping[str, Any], config: Any, splits: Splits, workers: Workers) -> None:
    """Raises ConfigError, unless settings and data are those of the chief."""
    own, his = _settings(config), told["settings"]
    names = sorted(name for name in own.keys() | his.keys() if own.get(name) != his.get(name))
    if names:
        differ = ", ".join(f"{name} ({own.get(name)}, there {his.get(name)})" for name in names)
        raise ConfigError(f"worker {workers.index}: other settings than worker 0: {differ}; give all the same command")
    if told["data"] != splits.digest():
        source = getattr(config.data, "source", "its source")
        raise ConfigError(f"worker {workers.index}: {source} holds other data than worker 0 reads; give all the same")


def _settings(config: Any) -> dict[str, Any]:
    """Settings as JSON gives them back."""
    known = {name: value for name, value in flatten(config).items() if name not in OWN}
    found: dict[str, Any] = json.loads(json.dumps(known, default=str))
    return found
