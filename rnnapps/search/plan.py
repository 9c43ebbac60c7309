"""Which run of a search is trained next, until which step, and for how long at most."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnapps.errors import RnnappsError
from rnnapps.search.choice import best, finalists, repeat_name, repeated
from rnnapps.search.halving import BASELINE, Record, promotable
from rnnapps.search.sampling import suggest
from rnnapps.search.state import Search

__all__ = ["Piece", "next_piece"]

TRIES = 30
"""Suggestions that are refused, or known already, before there is said to be nothing new."""

WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class Piece:
    """A piece of work: a run is trained on.

    Attributes:
        number: of the configuration.
        step: until which step.
        seconds: for how long at most.
        seed: of a repetition; None for the configuration's own run.
    """

    number: int
    step: int
    seconds: float
    seed: int | None = None


def next_piece(search: Search) -> Piece | None:
    """The most useful piece of work that can be done now; None where nothing is left to do, or no time to do it.

    First the configuration as it is; then the search, until the time comes that is kept for its end; then the best and
    the baseline with further seeds. While all that is left is being done by other processes, it waits.
    """
    while (left := search.budget.left()) > 0:
        records, chosen = search.journal.records(), search.journal.facts().get("finalists")
        piece = _searching(search, records, left) if chosen is None else _repeating(search, records, chosen, left)
        if piece is not None:
            return piece
        if search.is_at_work(records):
            time.sleep(WAIT_SECONDS)
        elif chosen is None and records[BASELINE].state == "done":
            search.journal.keep("finalists", _chosen(search, records, left))
        else:
            return None
    return None


def _searching(search: Search, records: Sequence[Record], left: float) -> Piece | None:
    """The baseline; what a process has left behind; what has earned its next rung; something new."""
    busy, first = search.busy(records), search.rungs[0]
    if records[BASELINE].state == "open" and BASELINE not in busy:
        return Piece(BASELINE, search.rungs[-1], left)
    ahead = finalists(records, higher_is_better=search.higher_is_better)
    seconds = left - search.budget.reserve([_seconds(search, records[number]) for number in (BASELINE, *ahead)])
    if seconds <= 0:
        return None
    for record in records[BASELINE + 1 :]:
        wanted = record.facts.get("wanted", first)
        if record.state == "open" and record.step < wanted and record.number not in busy:
            return Piece(record.number, wanted, seconds)
    earned = promotable(records, search.rungs, higher_is_better=search.higher_is_better, busy=busy)
    if earned is not None:
        return Piece(earned[0].number, earned[1], seconds)
    new = _new(search, records)
    return None if new is None else Piece(new, first, seconds)


def _new(search: Search, records: Sequence[Record]) -> int | None:
    """Adds a configuration that nobody has tried; None where there is none, or there are enough."""
    if search.most and len(records) > search.most:
        return None
    known = [dict(record.settings) for record in records]
    for attempt in range(TRIES):
        seed = ((search.config.seed + 1) * 1_000_003 + len(records) * TRIES + attempt) % 2**32
        settings = suggest(search.space, records, higher_is_better=search.higher_is_better, seed=seed)
        if settings not in known and _is_valid(search, settings):
            return search.journal.add(search.space, settings)
    return None


def _is_valid(search: Search, settings: Mapping[str, Any]) -> bool:
    """Whether the configuration takes these settings together, and each has an effect."""
    try:
        config = search.config_of(settings)
    except RnnappsError:
        return False
    return not search.pipeline.without_effect(config).keys() & settings.keys()


def _chosen(search: Search, records: Sequence[Record], left: float) -> list[int]:
    """The finalists: as many as can be repeated with one further seed at least, beside the baseline; or the best."""
    numbers = finalists(records, higher_is_better=search.higher_is_better)
    while len(numbers) > 1 and sum(_seconds(search, records[number]) for number in (BASELINE, *numbers)) > left:
        numbers.pop()
    return numbers


def _repeating(search: Search, records: Sequence[Record], chosen: Sequence[int], left: float) -> Piece | None:
    """A finalist or the baseline with a further seed, round by round; then the best to the end of its own run.

    Where there is no time for a whole round, the finalists' own runs are trained on, the best first.
    """
    numbers, facts = [BASELINE, *chosen], search.journal.facts()
    repeats = repeated(facts, numbers, search.config.seed)
    leader = records[best(records, repeats, higher_is_better=search.higher_is_better)]
    rest = 0.0 if leader.state == "done" else _seconds(search, leader) * (1 - leader.step / search.rungs[-1])
    for seed in search.seeds() if chosen else []:
        missing = [number for number in numbers if repeat_name(number, seed) not in facts]
        if left - rest < sum(_seconds(search, records[number]) for number in missing):
            break
        for number in missing:
            if not search.in_use(number, seed):
                return Piece(number, search.rungs[-1], left - rest, seed)
    for record in [leader] if repeats[BASELINE] else [records[number] for number in chosen]:
        if record.state == "open" and not search.in_use(record.number):
            return Piece(record.number, search.rungs[-1], left)
    return None


def _seconds(search: Search, record: Record) -> float:
    """How long a whole training of a configuration takes; for ever, where nothing of it is known."""
    return float(record.facts["seconds"]) * search.rungs[-1] / record.step if record.step else math.inf
