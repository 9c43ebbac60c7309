"""What `evaluate` scores, and what the baselines beside the model learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnapps.contract.pipeline import Pipeline
from rnnapps.data.given import MEMORY
from rnnapps.errors import RnnappsError
from rnnapps.verbs import settings
from rnnapps.verbs.data import read_examples

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["Scored", "examples_to_score", "trained_digest"]

AnyPipeline = Pipeline[Any, Any, Any]


class Scored(NamedTuple):
    """Examples to score.

    Attributes:
        splits: the held-out examples, with the training examples that baselines learn from.
        note: in which way they are not the run's own, and what the baselines learned from; empty where they are.
    """

    splits: Any
    note: str


def examples_to_score(
    pipeline: AnyPipeline,
    own: Any,
    config: Any,
    *,
    folder: RunFolder | None = None,
    given: Any = None,
    own_splits: Any = None,
) -> Scored:
    """Reads what is to be scored, and what the model was trained on where that is something else.

    Args:
        pipeline: the application.
        own: the model's configuration.
        config: the same with other settings of `data`, perhaps.
        folder: the run; None for an export.
        given: examples from Python instead of those of `data.source`.
        own_splits: the data of the model, where they are at hand.

    Raises:
        RnnappsError: what is to be scored cannot be read.
    """
    changes, trained_on = _changes(own, config), trained_digest(folder)
    if given is None and not changes and own_splits is not None:
        return Scored(own_splits, "")
    splits = read_examples(pipeline, config, given)
    told = "Scored on other data than the model's own"
    if changes:
        told += f" ({', '.join(f'{key} {now}, not {before}' for key, (before, now) in changes.items())})"
    if splits.digest() == trained_on or (given is None and changes.keys() <= pipeline.run_frees and trained_on is None):
        return Scored(
            splits, f"{told}; the baselines learned from the same training data as the model." * bool(changes)
        )
    if given is None and not changes:
        source = getattr(own.data, "source", "its source")
        return Scored(splits, f"The data of this run (data.source {source}) have changed since it was trained.")
    return _with_own_training(pipeline, splits, own, told=told, own_splits=own_splits)


def _with_own_training(pipeline: AnyPipeline, splits: Any, own: Any, *, told: str, own_splits: Any) -> Scored:
    """Other examples to score, beside baselines that learn from the model's training data, where these can be had."""
    fallback = "the baselines learned from the training part of these data"
    try:
        known = read_examples(pipeline, own) if own_splits is None else own_splits
    except RnnappsError:
        return Scored(splits, f"{told}; {fallback}, since those of the model cannot be read.")
    mixed = pipeline.with_training_of(splits, known)
    if mixed is None:
        return Scored(splits, f"{told}; {fallback}.")
    return Scored(mixed, f"{told}; the baselines learned from the same training data as the model.")


def _changes(own: Any, config: Any) -> Mapping[str, tuple[Any, Any]]:
    """Settings of the data that differ, and both their values; what was given from Python is named by itself."""
    before, now = (
        {key: value for key, value in settings.flatten(each).items() if key.startswith("data.")}
        for each in (own, config)
    )
    return {key: (before.get(key), value) for key, value in now.items() if before.get(key) != value and value != MEMORY}


def trained_digest(folder: RunFolder | None) -> str | None:
    """The fingerprint of the data that the run was trained on; None where it keeps none."""
    if folder is None:
        return None
    from rnnapps.training.checkpoint import checkpoint_steps, read_manifest

    try:
        newest = checkpoint_steps(folder.state_dir)[-1]
        digest = read_manifest(folder.state_dir, newest)["metadata"]["fingerprint"]["data"]
    except (RnnappsError, LookupError):
        return None
    return str(digest)
