"""The memory of a search: Optuna's journal, one file that several processes append to and that outlives them all.

A configuration is one trial of the journal's one study, open until its training ends; what it had reached at each rung
are the trial's intermediate values. Tools that read such files, Optuna's dashboard for one, show it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.search.halving import Record
from rnnapps.search.sampling import distributions

if TYPE_CHECKING:
    from rnnapps.search.space import Space

__all__ = ["JOURNAL", "Journal", "require_optuna"]

JOURNAL = "journal.log"
STUDY = "search"
LOG = 1 << 16
"""How far from its end a torn line may begin."""


class Journal:
    """The memory of one search.

    Args:
        folder: of the search; the file is made where it is missing.
        higher_is_better: of the metric; what the file was begun with counts.

    Raises:
        CheckpointError: the file cannot be read or written.
        ConfigError: Optuna is not installed.
    """

    def __init__(self, folder: Path, *, higher_is_better: bool) -> None:
        require_optuna()
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage
        from optuna.study import StudyDirection

        optuna.logging.set_verbosity(logging.ERROR)
        path = folder / JOURNAL
        try:
            _mend(path)
            self._storage = JournalStorage(JournalFileBackend(str(path)))
            direction = StudyDirection.MAXIMIZE if higher_is_better else StudyDirection.MINIMIZE
            try:
                self._study = self._storage.create_new_study([direction], STUDY)
            except optuna.exceptions.DuplicatedStudyError:
                self._study = self._storage.get_study_id_from_name(STUDY)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"{path}: cannot be used: {error}; begin another search") from error

    def records(self) -> list[Record]:
        """All configurations, by their number."""
        return [_record(trial) for trial in self._storage.get_all_trials(self._study, deepcopy=False)]

    def add(self, space: Space, settings: Mapping[str, Any]) -> int:
        """Notes a new configuration; returns its number."""
        import optuna

        template = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING, params=dict(settings), distributions=distributions(space)
        )
        number: int = self._storage.get_trial_number_from_id(self._storage.create_new_trial(self._study, template))
        return number

    def report(self, number: int, step: int, value: float) -> None:
        """Notes what a configuration has reached at a rung."""
        self._storage.set_trial_intermediate_value(self._trial(number), step, value)

    def note(self, number: int, name: str, value: Any) -> None:
        """Notes a fact about a configuration; anything that JSON can hold."""
        self._storage.set_trial_user_attr(self._trial(number), name, value)

    def end(self, number: int, value: float | None = None) -> None:
        """Ends a configuration: with its last value, or as one that cannot be trained."""
        import optuna

        states = optuna.trial.TrialState
        state = states.FAIL if value is None else states.COMPLETE
        self._storage.set_trial_state_values(self._trial(number), state, None if value is None else [value])

    def facts(self) -> dict[str, Any]:
        """What is known of the search as a whole."""
        return dict(self._storage.get_study_user_attrs(self._study))

    def keep(self, name: str, value: Any) -> None:
        """Notes a fact about the search; anything that JSON can hold."""
        self._storage.set_study_user_attr(self._study, name, value)

    def _trial(self, number: int) -> int:
        trial: int = self._storage.get_trial_id_from_study_id_trial_number(self._study, number)
        return trial


def require_optuna() -> None:
    """Raises ConfigError where Optuna is missing."""
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a search needs {error.name}, which is not installed; pip install 'rnnapps[tune]'"
        ) from error


def _record(trial: Any) -> Record:
    states: dict[str, Literal["done", "failed"]] = {"COMPLETE": "done", "FAIL": "failed"}
    return Record(
        number=trial.number,
        settings=dict(trial.params),
        values=dict(sorted(trial.intermediate_values.items())),
        state=states.get(trial.state.name, "open"),
        facts=dict(trial.user_attrs),
    )


def _mend(path: Path) -> None:
    """Cuts off a last line that a power cut has torn: what is appended to it would be lost with it."""
    if not path.exists() or not path.stat().st_size:
        return
    with open(path, "rb+") as file:
        size = file.seek(0, 2)
        start = max(0, size - LOG)
        file.seek(start)
        tail = file.read()
        if not tail.endswith(b"\n"):
            file.truncate(start + tail.rfind(b"\n") + 1)
