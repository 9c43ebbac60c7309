"""What a run keeps of settings that were tried, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rnnapps.contract.fitted import Fitted
from rnnapps.errors import ConfigError
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE as DETECTION
from rnnapps.tasks.translation.pipeline import PIPELINE as TRANSLATION
from rnnapps.training.run import RunFolder
from rnnapps.verbs.keep import require_keepable
from rnnapps.verbs.opening import OpenModel
from tests.cli.tiny_pipeline import TINY


def opened(folder: RunFolder | None) -> OpenModel:
    fitted: Fitted[Any, Any] = Fitted(None, None, None)
    return OpenModel(Path("model"), fitted, folder)


@pytest.mark.parametrize("pipeline, changed", [(DETECTION, ["detection.risk"]), (TRANSLATION, ["decoding.beam_width"])])
def test_groups_that_are_tried_or_applied_can_be_kept(pipeline: Any, changed: Sequence[str]) -> None:
    folder = RunFolder(Path("model"))
    assert require_keepable(pipeline, opened(folder), changed) is folder


@pytest.mark.parametrize(
    ("pipeline", "changed", "message"),
    [
        (DETECTION, ["data.source", "detection.risk"], "keeps settings of detection, .* no other data.source"),
        (TRANSLATION, ["data"], "keeps settings of decoding, .* no other data"),
        (TINY, [], "tiny has no settings that evaluate tries"),
    ],
)
def test_what_a_run_cannot_keep_is_refused(pipeline: Any, changed: Sequence[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_keepable(pipeline, opened(RunFolder(Path("model"))), changed)


def test_an_export_keeps_its_own() -> None:
    with pytest.raises(ConfigError, match="an export keeps its settings"):
        require_keepable(DETECTION, opened(None), [])
