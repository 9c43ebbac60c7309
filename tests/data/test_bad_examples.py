"""Bad examples are counted, not fatal: the same rules for all sources of many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples, answered
from rnnapps.errors import ConfigError, DataError


def example(number: int, bad: tuple[int, ...]) -> int:
    if number in bad:
        raise DataError(f"{number}.wav", "is damaged", "copy it again")
    return number


def examples(count: int, *bad: int) -> list[Callable[[], int]]:
    return [partial(example, number, bad) for number in range(count)]


def good(**settings: object) -> GoodExamples:
    return GoodExamples("corpus", BadExamplesConfig(**settings), noun="recordings")  # type: ignore[arg-type]


def test_bad_examples_up_to_the_limit_are_left_out_and_told(capsys):
    found = good()
    assert list(found.read(examples(200, 7, 199))) == [number for number in range(199) if number != 7]
    assert found.finish() == tuple(BadExample(f"{number}.wav", "is damaged; copy it again") for number in (7, 199))
    expected = "note: corpus: 2 of 200 recordings cannot be read and are left out: 7.wav: is damaged; 199.wav: is "
    assert capsys.readouterr().err == f"{expected}damaged\n"


def test_more_than_the_limit_are_an_error_that_names_three():
    found = good()
    list(found.read(examples(200, 1, 2, 3, 4)))
    with pytest.raises(DataError) as error:
        found.finish()
    told = str(error.value)
    assert told.startswith("corpus: 4 of 200 recordings cannot be read: 1.wav: is damaged; 2.wav: is damaged; 3.wav:")
    assert "and 1 more" in told and "more than --data.bad_limit 0.01 lets pass" in told and "4.wav" not in told
    raised = good(bad_limit=0.02)
    list(raised.read(examples(200, 1, 2, 3, 4)))
    assert len(raised.finish()) == 4


def test_one_bad_example_beyond_the_limit_is_told_as_itself():
    found = good()
    list(found.read(examples(10, 3)))
    with pytest.raises(DataError, match=r"^3\.wav: is damaged; copy it again; this is 1 of 10 recordings, more than"):
        found.finish()


def test_all_bad_is_an_error_whatever_the_limit():
    found = good(bad_limit=1.0)
    list(found.read(examples(2, 0, 1)))
    with pytest.raises(DataError, match=r"2 of 2 recordings cannot be read: 0\.wav"):
        found.finish()
    alone = good(bad_limit=1.0)
    list(alone.read(examples(1, 0)))
    with pytest.raises(DataError, match=r"^0\.wav: is damaged; copy it again$"):
        alone.finish()


def test_refused_are_those_of_a_single_file_or_by_setting():
    single = GoodExamples("a.wav", BadExamplesConfig(), noun="recordings", many=False)
    asked = GoodExamples("a.wav", BadExamplesConfig(on_bad="skip"), noun="recordings", many=False)
    assert list(asked.read(examples(3, 1))) == [0, 2]
    for found in (single, good(on_bad="refuse")):
        with pytest.raises(DataError, match=r"^1\.wav: is damaged; copy it again$"):
            list(found.read(examples(3, 1, 2)))


def test_settings_are_checked():
    with pytest.raises(ConfigError, match=r"data\.bad_limit must be from 0 to 1, not 1\.5"):
        BadExamplesConfig(bad_limit=1.5)
    with pytest.raises(ConfigError, match=r"data\.on_bad must be one of auto, skip, refuse"):
        BadExamplesConfig(on_bad="warn")  # type: ignore[arg-type]


def test_inputs_are_answered_one_by_one():
    seen: list[int] = []

    def answer(number: int) -> int:
        seen.append(number)
        return example(number, (1,))

    answers = answered((partial(answer, number) for number in range(3)), many=True)
    assert next(answers) == 0 and seen == [0], "the next is not asked before it is wanted"
    assert list(answers) == [BadExample("1.wav", "is damaged; copy it again"), 2]
    with pytest.raises(DataError, match=r"1\.wav"):
        list(answered(examples(3, 1), many=False))
