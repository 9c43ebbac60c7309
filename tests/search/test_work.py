"""A search of runs that are not trained: what is trained next, how far, and what is left of it when it is killed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnapps.contract.splits import Splits
from rnnapps.errors import RnnappsError, TrainingDiverged
from rnnapps.search.budget import Budget
from rnnapps.search.found import Found, conclude, verdict
from rnnapps.search.halving import Record
from rnnapps.search.space import search_space
from rnnapps.search.state import Search
from rnnapps.search.trial import Reached
from rnnapps.search.work import begin, work
from rnnapps.training.pause import Pause
from rnnapps.training.run import RunFolder
from rnnapps.verbs.configure import configure
from rnnapps.verbs.settings import flatten
from tests.cli.tiny_pipeline import TINY, Circle, Config

pytest.importorskip("optuna", reason="the extra `tune` is not installed")

METRIC = "validation_loss"
CONFIG: Config = configure(TINY, {}, {"steps": 90, "evaluate_every": 10, "learning_rate": 0.001})
RUNGS = [10, 30, 90]


class Stopped(BaseException):
    """What a process that is killed does not survive."""


class Trainer:
    """Stands in for the training: a second a step; the loss is least at a rate of 0.003.

    Attributes:
        calls: (folder, from which step, to which).
        seconds: that have passed.
    """

    def __init__(self, *, kill_at: int = 0, diverges: Callable[[Config], bool] = lambda config: False) -> None:
        self.calls: list[tuple[str, int, int]] = []
        self.seconds, self.kill_at, self.diverges = 0.0, kill_at, diverges

    def __call__(
        self,
        pipeline: object,
        config: Config,
        folder: RunFolder,
        splits: Splits,
        *,
        pause: Pause,
        resume: str,
        measured: bool,
    ) -> Reached:
        rows = folder.read_metrics()
        begun = rows[-1]["step"] if rows else 0
        allowed = int(min(pause.deadline - time.monotonic() + 0.5, 1e6))
        every = config.training.evaluate_every
        end = min(pause.last(config.training.steps), (begun + allowed) // every * every)
        if self.diverges(config):
            raise TrainingDiverged("training diverged at step 3: the loss is nan")
        for step in range(begun + every, end + every, every):
            self.seconds += every
            folder.append_metrics({"step": step, METRIC: loss(config, step)})
            if len(self.calls) + 1 == self.kill_at:
                raise Stopped
        self.calls.append((folder.path.name, begun, end))
        done = end == config.training.steps
        value = min((row[METRIC] for row in folder.read_metrics()), default=None)
        return Reached(end, value, done, float(end), config.model.units, 2.0 if measured and done else None)


def loss(config: Config, step: int) -> float:
    rate = abs(math.log10(config.training.learning_rate / 0.003))
    return 1.0 + rate + 0.3 * config.model.dropout + 0.01 * (config.seed % 3) + 1.0 / step


def search(folder: Path, trainer: Trainer, *, minutes: float | None = 60.0, most: int = 6, every: int = 10) -> Search:
    from rnnapps.search.journal import Journal

    folder.mkdir(exist_ok=True)
    config = configure(TINY, flatten(CONFIG), {"evaluate_every": every})
    journal = Journal(folder, higher_is_better=False)
    return Search(
        pipeline=TINY,
        config=config,
        space=search_space(TINY, config, asked=["training.learning_rate", "model.dropout"]),
        folder=folder,
        splits=Circle("abc", "abc"),
        journal=journal,
        budget=Budget(journal, minutes, clock=lambda: trainer.seconds),
        metric=METRIC,
        higher_is_better=False,
        most=most,
        say=lambda line: None,
    )


def searched(folder: Path, trainer: Trainer, patch: pytest.MonkeyPatch, **options: Any) -> tuple[Search, Found]:
    patch.setattr("rnnapps.search.work.train_on", trainer)
    of = search(folder, trainer, **options)
    begin(of)
    work(of)
    return of, conclude(of, judged=False)


def known(of: Search) -> list[Record]:
    """The records without what depends on the time."""
    return [Record(each.number, each.settings, each.values, each.state) for each in of.journal.records()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, Search, Found]:
    """A search of six configurations beside the one as it is."""
    with pytest.MonkeyPatch.context() as patch:
        trainer = Trainer()
        return trainer, *searched(tmp_path_factory.mktemp("whole"), trainer, patch)


def test_a_rung_goes_on_and_never_restarts(undisturbed: tuple[Trainer, Search, Found]) -> None:
    trainer, of, found = undisturbed
    assert of.rungs == RUNGS
    assert trainer.calls[0] == ("000", 0, 90)  # the configuration as it is, first and whole
    for name in {call[0] for call in trainer.calls}:
        pieces = [call[1:] for call in trainer.calls if call[0] == name]
        assert [begun for begun, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
        assert {end for _, end in pieces} <= set(RUNGS)
    records = of.journal.records()
    assert len(records) == 7
    reached = [sum(rung in record.values for record in records) for rung in RUNGS]
    assert reached[0] == 7
    assert reached[1] == 3  # two are the best third of seven; the baseline, which is trained whole, is not one
    assert all(record.values == {rung: loss(of.config_of(record.settings), rung) for rung in record.values}
               for record in records)  # fmt: skip
    assert found.metric == METRIC


def test_the_best_is_repeated_with_three_seeds_beside_the_configuration_as_it_is(
    undisturbed: tuple[Trainer, Search, Found],
) -> None:
    trainer, of, found = undisturbed
    repeats = [call for call in trainer.calls if "seed" in call[0]]
    chosen = of.journal.facts()["finalists"]
    assert len(chosen) == 3
    assert sorted(name for name, *_ in repeats) == sorted(
        f"{number:03d}-seed{seed}" for number in [0, *chosen] for seed in (1, 2, 3)
    )
    assert all((begun, end) == (0, 90) for _, begun, end in repeats)
    leader = found.configuration(found.best)
    assert found.confirmed
    assert leader.repeats == [loss(of.config_of(leader.settings, seed), 90) for seed in (1, 2, 3)]
    assert found.run == of.folder / "trials" / f"{found.best:03d}"  # trained to its end, wherever it rested
    assert 0.001 < leader.settings["training.learning_rate"] < 0.005
    assert verdict(found).startswith("best is training.learning_rate 0.00")
    assert (of.folder / "best.yaml").read_text().startswith("pipeline: tiny")
    assert found.command == f"rnnapps tiny train --config {of.folder}/best.yaml --run runs/tiny/best"
    assert sum(found.importances.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kill_at", [1, 7])
def test_a_search_that_is_killed_ends_as_one_that_was_not(
    kill_at: int, undisturbed: tuple[Trainer, Search, Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole, expected = undisturbed
    with pytest.raises(Stopped):
        searched(tmp_path / "killed", Trainer(kill_at=kill_at), monkeypatch)
    again = Trainer()
    of, found = searched(tmp_path / "killed", again, monkeypatch)
    assert known(of) == known(whole)
    assert (found.best, found.configuration(found.best)) == (expected.best, expected.configuration(expected.best))
    assert again.calls[0][1] > 0  # where the killed process had saved its run


def test_time_is_kept_for_the_end_and_no_more_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer()
    _, found = searched(tmp_path, trainer, monkeypatch, minutes=42.0, most=0, every=30)
    assert trainer.seconds <= 42 * 60
    assert found.confirmed
    alone = [call for call in trainer.calls if "seed" not in call[0]]
    spent = sum(end - begun for _, begun, end in alone)
    assert 42 * 60 - 14 * 90 <= spent <= 42 * 60 - 12 * 90  # twelve trainings are kept, and one that ends the best


def test_more_minutes_let_a_search_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Trainer()
    _, found = searched(tmp_path, first, monkeypatch, minutes=10.0, most=0, every=30)
    assert "there was no time" in verdict(found) or found.confirmed
    tried = len(found.configurations)
    idle = Trainer()
    _, again = searched(tmp_path, idle, monkeypatch, minutes=None, most=0, every=30)
    assert not idle.calls or sum(end - begun for _, begun, end in idle.calls) <= 10 * 60 - first.seconds
    assert (again.minutes, len(again.configurations)) == (10.0, tried)
    more = Trainer()
    _, later = searched(tmp_path, more, monkeypatch, minutes=20.0, most=0, every=30)
    assert len(later.configurations) > tried
    assert not {call[0] for call in more.calls if call[1] == 0} & {call[0] for call in first.calls}


def test_without_time_for_a_round_of_seeds_the_best_is_trained_on_and_no_more_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer()
    _, found = searched(tmp_path, trainer, monkeypatch, minutes=4.0, most=0)
    assert 4 * 60 - 90 < trainer.seconds <= 4 * 60  # there is no whole training in what is left
    assert not found.confirmed
    others = [each for each in found.configurations if each.number]
    assert others[0].step == 90
    words = verdict(found)
    assert "that may be luck" in words or words.startswith("the configuration as it is wins: none of the")


def test_who_is_ahead_but_has_not_come_to_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of, _ = searched(tmp_path, Trainer(), monkeypatch, minutes=1.6)
    number = of.journal.add(of.space, {"training.learning_rate": 0.0031, "model.dropout": 0.0})
    of.journal.report(number, 10, 0.5)
    words = verdict(conclude(of, judged=False))
    assert words.startswith(f"{number} is ahead at step 10, 0.5 instead of 1.607")
    assert words.endswith("there was no time to train it to its end: give more --minutes")


def test_without_time_for_the_configuration_as_it_is_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer()
    _, found = searched(tmp_path, trainer, monkeypatch, minutes=0.5)
    assert trainer.calls == [("000", 0, 30)]
    assert verdict(found).startswith("the configuration as it is came to step 30 of 90 in 0.5 minutes")
    assert found.run is None


def test_what_cannot_be_trained_is_given_up_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(diverges=lambda config: config.training.learning_rate > 0.002)
    of, found = searched(tmp_path, trainer, monkeypatch)
    failed = [each for each in found.configurations if each.settings["training.learning_rate"] > 0.002]
    assert failed
    assert all(each.reason.startswith("training diverged at step 3") and not each.rungs for each in failed)
    assert found.configuration(found.best).settings["training.learning_rate"] <= 0.002
    assert {record.state for record in of.journal.records()} == {"open", "done", "failed"}


def test_a_configuration_as_it_is_that_cannot_be_trained_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RnnappsError, match="training diverged at step 3"):
        searched(tmp_path, Trainer(diverges=lambda config: True), monkeypatch)


def test_a_run_that_takes_its_process_with_it_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = search(tmp_path, Trainer())
    begin(of)
    number = of.journal.add(of.space, {"training.learning_rate": 0.004, "model.dropout": 0.1})
    of.journal.note(number, "begun", 3)
    of, found = searched(tmp_path, Trainer(), monkeypatch)
    assert found.configuration(number).reason == "its process has ended 3 times"


def test_a_torn_last_line_of_the_journal_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of, _ = searched(tmp_path, Trainer(), monkeypatch, most=2)
    before = known(of)
    with open(tmp_path / "journal.log", "ab") as file:
        file.write(b'{"op_code":6,"wor')
    again = search(tmp_path, Trainer())
    assert known(again) == before
    again.journal.keep("minutes", 61.0)
    assert search(tmp_path, Trainer(), minutes=None).budget.minutes == 61.0


def test_a_run_that_another_process_trains_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, busy = Trainer(), RunFolder(tmp_path / "trials" / "000")
    monkeypatch.setattr("rnnapps.search.plan.WAIT_SECONDS", 0.0)
    monkeypatch.setattr("rnnapps.search.work.train_on", trainer)
    of = search(tmp_path, trainer, most=3, minutes=1.0)
    begin(of)
    with busy.lock():
        trainer.seconds = 0.0
        monkeypatch.setattr(of.budget, "left", iter([60.0] * 4 + [0.0] * 9).__next__)
        work(of)
    assert {name for name, *_ in trainer.calls} == {"001", "002", "003"}
