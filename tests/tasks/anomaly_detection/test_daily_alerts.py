"""Card precision as the fraud handbook defines it, beside its definition in pandas, and what is known already."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import ConfigError
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.known_faults import days_of, known_left_out
from rnnapps.tasks.anomaly_detection.data.watched import read_watched
from rnnapps.tasks.anomaly_detection.metrics import MOST_ALERTS, entity_precision
from tests.tasks.anomaly_detection.watched import write_events


def by_groups(table: pd.DataFrame) -> float:
    """The same, day by day, with groups of pandas."""
    blocked: list[int] = []
    shares = []
    for _, day in table.groupby("day"):
        cards = day[~day.card.isin(blocked)].groupby("card").max().sort_values("score", ascending=False, kind="stable")
        caught = cards.head(MOST_ALERTS).query("fraud")
        blocked += list(caught.index)
        shares.append(len(caught) / MOST_ALERTS)
    return float(np.mean(shares))


@given(st.integers(0, 10_000), st.integers(110, 300))
def test_it_is_the_handbooks(seed: int, cards: int) -> None:
    draw = np.random.default_rng(seed)
    days = np.repeat(np.arange(3), 2 * cards)
    card = np.concatenate([draw.permutation(np.tile(np.arange(cards), 2)) for _ in range(3)])
    fraud = draw.random(len(days)) < 0.1
    score = draw.permutation(len(days)) / len(days) + 0.3 * fraud
    table = pd.DataFrame({"day": days, "card": card, "fraud": fraud, "score": score})
    assert entity_precision(days, card, fraud, score) == pytest.approx(by_groups(table), abs=1e-12)


def test_a_card_that_was_found_makes_room_the_next_day() -> None:
    """101 cards, the first two fraudulent on both days: found on day 1, and on day 2 there is nobody left to find."""
    card = np.tile(np.arange(101), 2)
    days, fraud, score = np.repeat([5, 6], 101), card < 2, -card.astype(float)
    assert entity_precision(days, card, fraud, score) == pytest.approx((2 / 100 + 0) / 2)


def test_few_entities_are_no_ranking() -> None:
    rows = np.arange(100)
    assert math.isnan(entity_precision(np.zeros(100, int), rows, rows < 3, rows))


def part(days: list[int], labels: list[int], zone: str = "UTC") -> SeriesPart:
    times = np.datetime64("2024-01-01T12:00", "ns") + np.array(days) * np.timedelta64(1, "D")
    series = Series("card", times, np.zeros((len(days), 1)), ("amount",), labels=np.array(labels), timezone=zone)
    return SeriesPart(series, 2, len(days))


def test_an_entity_is_judged_until_its_fault_is_known() -> None:
    """A fault on day 3, known after a week: the rows of day 10 count, those of day 11 do not."""
    own = part([0, 3, 8, 10, 10, 11, 12], [0, 1, 0, 1, 0, 1, 0])
    assert known_left_out(own, 7).rows().labels.tolist() == [0, 1, 0, -1, -1]
    assert known_left_out(own, 20).rows().labels.tolist() == [0, 1, 0, 1, 0]
    assert known_left_out(own, None) is own
    healthy = part([0, 1, 20], [0, 0, 0])
    assert known_left_out(healthy, 1) is healthy


def test_the_setting_takes_known_entities_out_of_the_test(tmp_path: Path) -> None:
    """3,000 payments of 20 cards over 25 hours: of the next day, the cards with a fraud of the first do not count."""
    config = AnomalyDataConfig(source=str(write_events(tmp_path / "cards.csv")), entity="card", label="fraud")
    whole, judged = (
        read_watched(dataclasses.replace(config, label_delay_days=delay)).parts.test for delay in (None, 0)
    )
    for before, after in zip(whole, judged, strict=True):
        own, series = before.rows(), before.series
        second = days_of(own) > days_of(series).min()
        first_day = series.labels[days_of(series) == days_of(series).min()]
        expected = np.where(second & bool((first_day > 0).any()), -1, own.labels)
        np.testing.assert_array_equal(after.rows().labels, expected)
    assert any((part.rows().labels == -1).any() for part in judged)
    with pytest.raises(ConfigError, match=r"data\.label_delay_days must be at least 0"):
        dataclasses.replace(config, label_delay_days=-1)


def test_days_are_those_of_the_clock() -> None:
    times = np.array(["2024-01-01T22:30", "2024-01-01T23:30"], "datetime64[ns]")
    series = Series("card", times, np.zeros((2, 1)), ("amount",), timezone="Europe/Berlin")
    assert np.diff(days_of(series)).tolist() == [1]
