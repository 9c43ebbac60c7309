"""A search at work: pieces are taken and done, and what came of them is noted.

Every process of a search does the same: it reads the journal, takes the most useful piece of work that nobody else is
at, does it, and notes what came of it. A run is taken by the lock of its folder, which ends with its process; what a
process that was killed has left is taken by the next.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

from rnnapps.errors import CheckpointError, Interrupted, RnnappsError
from rnnapps.search.choice import repeat_name
from rnnapps.search.halving import BASELINE, Record
from rnnapps.search.plan import Piece, next_piece
from rnnapps.search.state import Search
from rnnapps.search.trial import Reached, train_on
from rnnapps.verbs.settings import flatten

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["begin", "work"]

DEATHS = 3
"""Processes that a run may take with it before it is given up."""


def begin(search: Search) -> None:
    """Notes the configuration as it is, the first of a search; for one process at a time."""
    if not search.journal.records():
        now = flatten(search.config)
        search.journal.add(search.space, {key: now[key] for key in search.space})


def work(search: Search) -> None:
    """Works until nothing is left to do, or no time to do it.

    Raises:
        RnnappsError: the configuration as it is cannot be trained, a folder cannot be written, or a signal stops it.
    """
    while piece := next_piece(search):
        _do(search, piece)
        search.budget.spend()


def _do(search: Search, piece: Piece) -> None:
    """Trains, unless another process has taken the run in the meantime."""
    from rnnapps.training.run import RunFolder

    folder = RunFolder(search.path_of(piece.number, piece.seed))
    folder.create()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(folder.lock())
        except CheckpointError:
            return
        if piece.seed is None:
            _train(search, piece, folder)
        else:
            _repeat(search, piece, folder)


def _train(search: Search, piece: Piece, folder: RunFolder) -> None:
    """A configuration's own run."""
    record, journal = search.journal.records()[piece.number], search.journal
    if record.state != "open" or record.step >= piece.step:
        return
    begun = record.facts.get("begun", 0)
    if begun - record.facts.get("rested", 0) >= DEATHS:
        _give_up(search, record, f"its process has ended {DEATHS} times")
        return
    journal.note(record.number, "wanted", piece.step)
    journal.note(record.number, "begun", begun + 1)
    problem = ""
    try:
        reached = _trained(search, piece, folder)
    except (CheckpointError, Interrupted):
        raise
    except RnnappsError as error:
        if record.number == BASELINE:
            raise
        problem = str(error)
    finally:
        journal.note(record.number, "rested", begun + 1)
    if problem:
        _give_up(search, record, problem)
    else:
        _note(search, record, reached, folder)


def _repeat(search: Search, piece: Piece, folder: RunFolder) -> None:
    """A repetition with another seed; one that cannot be trained counts as the worst."""
    assert piece.seed is not None
    name = repeat_name(piece.number, piece.seed)
    if name in search.journal.facts():
        return
    try:
        reached = _trained(search, piece, folder)
    except (CheckpointError, Interrupted):
        raise
    except RnnappsError as error:
        search.journal.keep(name, -math.inf if search.higher_is_better else math.inf)
        search.say(f"{piece.number} with seed {piece.seed}: {error}")
        return
    if reached.ended:
        search.journal.keep(name, reached.value)
        search.say(f"{piece.number} with seed {piece.seed}: {search.metric} {reached.value:.4g}")


def _trained(search: Search, piece: Piece, folder: RunFolder) -> Reached:
    from rnnapps.training.pause import Pause

    config = search.config_of(search.journal.records()[piece.number].settings, piece.seed)
    pause = Pause(piece.step, time.monotonic() + piece.seconds)
    resume, measured = f"rnnapps {search.pipeline.name} tune --search {search.folder}", piece.seed is None
    return train_on(search.pipeline, config, folder, search.splits, pause=pause, resume=resume, measured=measured)


def _note(search: Search, record: Record, reached: Reached, folder: RunFolder) -> None:
    """Notes where a run rests: facts, and the best validation up to each rung that it has passed."""
    for name in ("seconds", "parameters", "milliseconds"):
        if getattr(reached, name) is not None:
            search.journal.note(record.number, name, getattr(reached, name))
    rows, pick = folder.read_metrics(), max if search.higher_is_better else min
    for rung in search.rungs:
        passed = [row[search.metric] for row in rows if row["step"] <= rung]
        if rung not in record.values and passed and (rung <= reached.step or reached.ended):
            search.journal.report(record.number, rung, pick(passed))
    if reached.ended:
        search.journal.end(record.number, reached.value)
    value = "not evaluated yet" if reached.value is None else f"{search.metric} {reached.value:.4g}"
    place = f"{record.number}: step {reached.step:,} of {search.rungs[-1]:,}"
    search.say(f"{place}, {value}  ({search.words(record.settings)})")


def _give_up(search: Search, record: Record, reason: str) -> None:
    """Ends a configuration that cannot be trained."""
    search.journal.note(record.number, "reason", reason)
    search.journal.end(record.number)
    search.say(f"{record.number}: given up: {reason}  ({search.words(record.settings)})")
