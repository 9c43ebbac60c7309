from __future__ import annotations

import pytest

from rnnapps import errors


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - {"RnnappsError", "Interrupted"}))
def test_every_error_ends_a_command_with_code_two(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.RnnappsError)
    assert error.exit_code == 2


def test_data_error_names_place_problem_and_remedy() -> None:
    error = errors.DataError("song.txt", "line 3: not UTF-8", "save it as UTF-8")
    assert str(error) == "song.txt: line 3: not UTF-8; save it as UTF-8"
    assert str(errors.DataError("song.txt", "is empty")) == "song.txt: is empty"


def test_interruption_carries_the_signal() -> None:
    assert errors.Interrupted("stopped", 143).exit_code == 143
