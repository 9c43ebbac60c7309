"""The examples of a run: from its source, or as they were given from Python."""

from __future__ import annotations

from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.data.given import MEMORY
from rnnapps.errors import DataError

__all__ = ["read_examples"]


def read_examples(pipeline: Pipeline[Any, Any, Any], config: Any, given: Any = None) -> Any:
    """The examples, split.

    Args:
        pipeline: the application.
        config: its settings.
        given: examples from Python, in the forms that the pipeline's `examples` describes; None reads `data.source`.

    Raises:
        DataError: the source cannot be read, or the examples were given from Python before and are not given now.
    """
    if given is None and getattr(config.data, "source", None) == MEMORY:
        problem = "the data of this run were given from Python and are stored nowhere"
        raise DataError(f"data.source {MEMORY}", problem, "give them again, from Python, as data=...")
    return pipeline.examples(config) if given is None else pipeline.examples(config, given)
