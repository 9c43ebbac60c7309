"""What usually ruins a model of measured rows is seen, and nothing is said of healthy rows."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.data.look.columns import column_cautions
from rnnapps.types import Array

NAMES = ("load", "temperature")


def healthy(rows: int = 400) -> Array:
    """Two sensors that swing about their levels."""
    generator = np.random.default_rng(0)
    steps = np.arange(rows)[:, None]
    return np.sin(steps / [[7.0, 11.0]]) * 5 + [[20.0, 50.0]] + generator.normal(size=(rows, 2))


def told(train: Array, later: Array | None = None, names: tuple[str, ...] = NAMES) -> list[str]:
    parts = {"train": train, "validation": train if later is None else later}
    return [caution.text for caution in column_cautions(parts, names)]


def test_nothing_is_said_of_healthy_rows():
    assert not told(healthy(), healthy(200))


def test_a_constant_sensor_is_named_with_the_flag_that_leaves_it_out():
    rows = healthy()
    rows[:, 0] = 3.5
    (caution,) = column_cautions({"train": rows}, NAMES)
    assert caution.text == "column 'load': the same in all training rows"
    assert caution.remedy == "leave them out: --data.channels '[temperature]'"
    rows[:, 0] = np.nan
    assert told(rows)[0] == "column 'load': the same in all training rows"


def test_a_sensor_that_died_is_not_one_that_switches():
    rows = healthy()
    rows[280:, 1] = rows[279, 1]
    assert told(rows, healthy(200)) == ["column 'temperature': the same in the last 25 % of the training rows and more"]
    switch = healthy()
    switch[:, 1] = 0
    switch[50:90, 1] = 1
    assert not told(switch, switch)


def test_a_shift_of_level_is_told_in_deviations():
    later = healthy(200)
    later[:, 0] += 40
    (line,) = told(healthy(), later)
    shift = float(line.rpartition("load by ")[2])
    expected = (np.median(later[:, 0]) - np.median(healthy()[:, 0])) / healthy()[:, 0].std()
    assert shift == pytest.approx(expected, abs=0.06) and "validation rows is shifted" in line


def test_gaps_and_a_first_row_that_is_no_header():
    rows = healthy()
    rows[::3, 1] = np.nan
    assert told(rows) == ["missing in many training rows: temperature 34 %"]
    (line,) = told(healthy(), names=("20.1", "49,7"))
    assert line == "the names of the columns are numbers (20.1, 49,7): the first row is read as names"
