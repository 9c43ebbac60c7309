"""What a search says where test data speak against its choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.contract.evaluation import Evaluation, Verdict
from rnnapps.search.found import Configuration, Found, contradicted
from rnnapps.search.page import search_sections


def evaluation(error: float, accuracy: float = 0.5, *, metric: str = "error") -> Evaluation:
    verdict = Verdict("level", "The model and its baseline are level.", metric, error)
    return Evaluation({"error": error, "accuracy": accuracy}, {}, 10, "test", verdict=verdict)


@pytest.mark.parametrize(
    ("as_it_is", "best", "said"),
    [
        (evaluation(1.0), evaluation(1.2), "error"),
        (evaluation(1.0), evaluation(0.9), ""),
        (evaluation(1.0), evaluation(1.0), ""),
        (evaluation(1.0, 0.6), evaluation(0.9, 0.5, metric="accuracy"), "accuracy"),
        (evaluation(1.0, 0.5), evaluation(1.1, 0.6, metric="accuracy"), ""),
        (evaluation(float("nan")), evaluation(1.0), ""),
    ],
)
def test_the_metric_that_decides_speaks(as_it_is: Evaluation, best: Evaluation, said: str) -> None:
    assert contradicted({0: as_it_is, 4: best}, 4, {"accuracy"}) == said


def test_nothing_is_said_of_what_was_not_scored() -> None:
    assert not contradicted({}, 4, set()) and not contradicted({0: evaluation(1.0)}, 0, set())


def test_the_report_says_so(tmp_path: Path) -> None:
    tried = [Configuration(number, {}, 10, 1.0, {10: 1.0}, [1.0], 5, 1.0, False, "") for number in (4, 0)]
    test = {0: evaluation(1.0), 4: evaluation(1.2)}
    found = Found(
        *("tiny", tmp_path, "validation_loss", False, 1, 1, 10, {}, tried, 4, {}, True, {}, 5, None, test, 2),
        contradicted="error",
        command="rnnapps tiny train",
    )
    best = search_sections(found, pictures=False)[0]
    assert any(
        "on these examples the configuration as it is has the better error: what validation" in str(block)
        for block in best.blocks
    )
