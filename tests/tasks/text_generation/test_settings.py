"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from tests.tasks.text_generation.small import write_words
from tests.tasks.walk import Change, Changes, walks


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    long = {"data.source": str(write_words(folder / "long.txt", 2000)), "model.blend": "ngram"}
    return {
        "model.blend": Change("none", long),
        "model.ngram_order": Change(3, long),
        "model.ngram_megabytes": Change(0.001, long),
        "data.source": Change(str(write_words(folder / "other.txt", 600, seed=1))),
        "data.test": Change(str(write_words(folder / "test.txt", 600, seed=2))),
        "prompt": Change("river", {"prompt": "zoo"}),
        "stop": Change("e"),
    }


test_repeats, test_setting, test_option = walks(PIPELINE)
