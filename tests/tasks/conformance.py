"""The conformance suite of pipelines, a test for each property; a task subclasses it with its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest
import yaml

from rnnapps.testing import PIPELINE_PROPERTIES, PipelineSubject
from tests.tasks.command import skip_report

__all__ = ["PipelineConformance", "settings_of"]

SLOW = ("kill",)
"""Properties that start processes, which take long to import TensorFlow."""


def settings_of(flags: Sequence[str], **more: Any) -> dict[str, Any]:
    """Flags as settings, but for the steps, which the suite chooses; a keyword `group__name` adds `group.name`."""
    found = {flag[2:].partition("=")[0]: yaml.safe_load(flag.partition("=")[2]) for flag in flags}
    found |= {name.replace("__", ".", 1): value for name, value in more.items()}
    return {name: value for name, value in found.items() if name not in ("training.steps", "training.evaluate_every")}


class PipelineConformance:
    """Subclasses, called Test..., define the fixture `subject`, scope "class"."""

    __test__: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        cls.__test__ = True

    @pytest.fixture(scope="class", autouse=True)
    def without_reports(self) -> Iterator[None]:
        """The look inside the network takes seconds a training; `evaluate` and `inspect` have tests of their own."""
        with pytest.MonkeyPatch.context() as patch:
            skip_report(patch)
            yield

    @pytest.mark.parametrize("name", [name for name in PIPELINE_PROPERTIES if name not in SLOW])
    def test_property(self, subject: PipelineSubject, name: str) -> None:
        PIPELINE_PROPERTIES[name](subject)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", SLOW)
    def test_slow_property(self, subject: PipelineSubject, name: str) -> None:
        PIPELINE_PROPERTIES[name](subject)
