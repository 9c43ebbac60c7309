"""The conformance suite of pipelines, a test for each property; a task subclasses it with its row."""

from __future__ import annotations

from typing import ClassVar

import pytest

from rnnapps.testing import PIPELINE_PROPERTIES, PipelineSubject

__all__ = ["PipelineConformance"]

SLOW = ("kill",)
"""Properties that start processes, which take long to import TensorFlow."""


class PipelineConformance:
    """Subclasses define the fixture `subject`, scope "class"."""

    __test__: ClassVar[bool] = False

    @pytest.mark.parametrize("name", [name for name in PIPELINE_PROPERTIES if name not in SLOW])
    def test_property(self, subject: PipelineSubject, name: str) -> None:
        PIPELINE_PROPERTIES[name](subject)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", SLOW)
    def test_slow_property(self, subject: PipelineSubject, name: str) -> None:
        PIPELINE_PROPERTIES[name](subject)
