"""The conformance suite of pipelines, a test for each property; a task gives its row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml

from rnnapps.export.safety import require_safe
from rnnapps.testing import PIPELINE_PROPERTIES, PipelineSubject
from tests.tasks.command import skip_report

__all__ = ["check_property", "every_property", "settings_of", "without_reports"]

SLOW = ("ensemble", "kill", "shares", "twice", "workers")
"""Properties that start processes, which take long to import TensorFlow, that train and export once more, or that build
another objective, of which each costs a second."""

STEPS = ("training.steps", "training.evaluate_every", "training.warmup_steps")
"""What the suite chooses, so that its few updates reach the rate."""


def settings_of(flags: Sequence[str], **more: Any) -> dict[str, Any]:
    """Flags as settings, but for those of steps, which the suite chooses; a keyword `group__name` adds `group.name`."""
    found = {flag[2:].partition("=")[0]: yaml.safe_load(flag.partition("=")[2]) for flag in flags}
    found |= {name.replace("__", ".", 1): value for name, value in more.items()}
    return {name: value for name, value in found.items() if name not in STEPS}


def every_property(*slow: str) -> pytest.MarkDecorator:
    """Parametrizes a test of a pipeline's `subject` by a property's `name`.

    Args:
        slow: properties that take the pipeline more than some ten seconds; left out by default, beside `kill`.
    """
    names = [
        pytest.param(name, marks=pytest.mark.slow if name in (*SLOW, *slow) else ()) for name in PIPELINE_PROPERTIES
    ]
    return pytest.mark.parametrize("name", names)


def check_property(subject: PipelineSubject, name: str) -> None:
    """Checks one property, and that an export which was made for it holds none but listed operations."""
    PIPELINE_PROPERTIES[name](subject)
    if name == "export":
        require_safe(subject.export)


@contextlib.contextmanager
def without_reports() -> Iterator[None]:
    """The look inside the network takes seconds a training; `evaluate` and `inspect` have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        yield
