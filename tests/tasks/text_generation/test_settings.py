"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from tests.tasks.effects import Effects
from tests.tasks.text_generation.small import write_words
from tests.tasks.walk import (
    Change,
    Changes,
    check_option,
    check_repeats,
    check_setting,
    walked_options,
    walked_settings,
)


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    return {
        "data.source": Change(str(write_words(folder / "other.txt", 600, seed=1))),
        "data.test": Change(str(write_words(folder / "test.txt", 600, seed=2))),
        "prompt": Change("river", {"prompt": "zoo"}),
        "stop": Change("e"),
    }


@pytest.mark.slow
def test_repeats(base: Effects) -> None:
    check_repeats(base)


@pytest.mark.slow
@pytest.mark.parametrize("key", walked_settings(PIPELINE))
def test_setting(base: Effects, changes: Changes, key: str) -> None:
    check_setting(base, key, changes)


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "name"), walked_options(PIPELINE))
def test_option(base: Effects, changes: Changes, verb: str, name: str) -> None:
    check_option(base, verb, name, changes)
