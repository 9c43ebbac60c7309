"""The verb `stream`: pieces of a result as soon as they exist, with a state that outlives the process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError, Interrupted, RnnappsError
from rnnapps.training.signals import StopNow
from rnnapps.verbs import settings
from rnnapps.verbs.configure import applied_groups
from rnnapps.verbs.stream_state import DEFAULT_SECONDS, KeptMemory, fingerprint

if TYPE_CHECKING:
    from rnnapps.training.signals import StopSignals

__all__ = ["stream_pieces"]

AnyPipeline = Pipeline[Any, Any, Any]


def stream_pieces(
    pipeline: AnyPipeline,
    fitted: Fitted[Any, Any],
    options: Any,
    given: Any = None,
    *,
    state: Path | None = None,
    seconds: float = DEFAULT_SECONDS,
    signals: StopSignals | None = None,
) -> Iterator[Any]:
    """Pieces of the result.

    Args:
        pipeline: the application.
        fitted: the model.
        options: of its `predict_class`.
        given: the input from Python, see `Pipeline.stream`.
        state: file that the stream goes on from, if it exists, and that is written at intervals and at the end, however
            the stream ends: with its input, by a signal, by an error, or because nobody takes its pieces any more.
        seconds: the interval.
        signals: ask the stream to stop.

    Raises:
        ConfigError: the pipeline's stream has no state.
        CheckpointError: the state is damaged or another model's, or cannot be written.
    """
    if state is None:
        return pipeline.stream(fitted, options, given)
    if type(pipeline).continue_stream is Pipeline.continue_stream:
        raise ConfigError(f"the stream of {pipeline.name} has no state to go on from; leave out --state")
    belongs = fingerprint(pipeline.name, fitted, _settings(pipeline, fitted, options))
    memory = KeptMemory(state, belongs, seconds=seconds, signals=signals)
    return _kept(pipeline.continue_stream(fitted, options, memory, given), memory)


def _kept(pieces: Iterator[Any], memory: KeptMemory) -> Iterator[Any]:
    """The pieces, and the state written behind the last of them that was taken."""
    try:
        yield from pieces
    except StopNow:
        memory.save()
        assert memory.signals is not None
        told = f"stopped by {memory.signals.name}; the state is in {memory.path}: the same command goes on"
        raise Interrupted(told, memory.signals.exit_code) from None
    except (RnnappsError, OSError, GeneratorExit):
        memory.save()
        raise
    memory.save()


def _settings(pipeline: AnyPipeline, fitted: Fitted[Any, Any], options: Any) -> dict[str, Any]:
    """What must be as it was, beside the model: how it is applied, and the options that a stream fixes."""
    groups = applied_groups(pipeline, "stream")
    applied = {key: value for key, value in settings.flatten(fitted.config).items() if key.partition(".")[0] in groups}
    fields = [field.name for field in dataclasses.fields(pipeline.predict_class)]
    taken = [name for name in fields if name not in pipeline.stream_frees | pipeline.predict_only]
    return {**applied, **{name: getattr(options, name) for name in taken}}
