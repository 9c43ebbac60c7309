"""Every setting changes something, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import settings_of, without_reports
from tests.tasks.effects import Change, Effects, check_setting, walked
from tests.tasks.text_generation.small import SETTINGS, write_words


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Effects]:
    folder = tmp_path_factory.mktemp("settings")
    write_words(folder / "other.txt", 600, seed=1)
    source = write_words(folder / "words.txt", 600)
    settings = settings_of(SETTINGS, data__source=str(source))
    del settings["training.warmup_steps"]  # longer than the four updates of this test
    found = Effects(PipelineSubject(PIPELINE, folder / "runs", settings, "zoo", options={"length": 30, "seed": 3}))
    with without_reports():
        yield found
    found.close()


def changes(base: Effects) -> dict[str, Any]:
    other = base.subject.settings["data.source"].replace("words.txt", "other.txt")
    return {
        "data.source": Change(other),
        "data.test": Change(other),
        "model.cell": Change("lstm"),
        "model.residual": Change(True, {"model.layers": 2}),
        "training.weight_decay": Change(0.1, {"training.optimizer": "adamw"}),
    }


@pytest.mark.slow
@pytest.mark.parametrize("key", walked(PIPELINE))
def test_setting(base: Effects, key: str) -> None:
    check_setting(base, key, changes(base).get(key))
