"""How many of the entities that a day's alerts name are faulty, for teams that can look into so many a day."""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array

__all__ = ["MOST_ALERTS", "entity_precision"]

MOST_ALERTS = 100
"""Alerts of a day."""


def entity_precision(days: Array, entities: Array, truth: Array, scores: Array) -> float:
    """Mean over the days of the share of faulty entities among the 100 with the highest scores.

    An entity's score of a day is that of its highest row, and it is faulty if a row of that day is. One that was
    rightly named is in no later day's list. This is card precision top-k of the "Reproducible Machine Learning for
    Credit Card Fraud Detection" handbook (Le Borgne et al. 2022, chapter 4.3).

    Args:
        days: number of the day of each row, int `(rows,)`.
        entities: number of the entity of each row, int `(rows,)`.
        truth: bool `(rows,)`, True where faulty.
        scores: float `(rows,)`.

    Returns:
        The mean; NaN unless every day has rows of more than 100 entities.
    """
    found: set[int] = set()
    shares = []
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        names, place = np.unique(entities[rows], return_inverse=True)
        if len(names) <= MOST_ALERTS:
            return float("nan")
        highest, faulty = np.full(len(names), -np.inf), np.zeros(len(names), bool)
        np.maximum.at(highest, place, scores[rows])
        np.logical_or.at(faulty, place, truth[rows])
        order = np.argsort(-highest, kind="stable")
        named = [number for number in order if int(names[number]) not in found][:MOST_ALERTS]
        hits = [int(names[number]) for number in named if faulty[number]]
        found.update(hits)
        shares.append(len(hits) / MOST_ALERTS)
    return float(np.mean(shares)) if shares else float("nan")
