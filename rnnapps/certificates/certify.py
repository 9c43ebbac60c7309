"""Certificates: each cell tried on each probe, from several seeds, kept in a folder and never tried twice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.certificates import gradient
from rnnapps.certificates.gradient import gradient_trial
from rnnapps.certificates.probes import GRADIENT, PROBES
from rnnapps.certificates.subjects import Certified
from rnnapps.certificates.trials import Trial, trials
from rnnapps.errors import ConfigError

__all__ = ["Finding", "certify"]

FORM = 1
"""Changes when results of before no longer compare with those of now."""


@dataclass(frozen=True)
class Finding:
    """What came of one cell on one probe.

    Attributes:
        cell: its name.
        probe: its name.
        trials: one a seed.
    """

    cell: str
    probe: str
    trials: tuple[Trial, ...]

    @property
    def score(self) -> float:
        """The median of the seeds' scores."""
        return statistics.median(trial.score for trial in self.trials)

    @property
    def held(self) -> int:
        """In how many seeds the cell held."""
        holds = gradient.HOLDS if self.probe == GRADIENT else PROBES[self.probe].holds
        return sum(trial.score >= holds for trial in self.trials)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        shown = {"cell": self.cell, "probe": self.probe, "score": self.score, "held": self.held}
        return shown | {"trials": [dataclasses.asdict(trial) for trial in self.trials]}


def certify(
    subjects: Sequence[Certified],
    probes: Sequence[str],
    *,
    folder: Path,
    parameters: int,
    seeds: int,
    told: Callable[[str], None],
) -> list[Finding]:
    """Tries every cell on every probe; what the folder holds already is not tried again.

    Args:
        subjects: the cells.
        probes: names in `PROBES`, and `GRADIENT`.
        folder: where each result goes as soon as it is there.
        parameters: the most that a cell and its readout may have.
        seeds: number of seeds, from 1 on.
        told: is given a line for each result.

    Raises:
        ConfigError: a result cannot be written or read.
    """
    findings = []
    for subject in subjects:
        for probe in probes:
            kept = {
                seed: _Kept(folder, subject, probe, parameters=parameters, seed=seed) for seed in range(1, seeds + 1)
            }
            known = {seed: place.read() for seed, place in kept.items()}
            missing = [seed for seed, trial in known.items() if trial is None]
            for trial in _tried(subject, probe, parameters, missing) if missing else ():
                kept[trial.seed].write(trial)
                known[trial.seed] = trial
                told(f"{subject.name}, {probe}, seed {trial.seed}: {trial.score:.3f}, {trial.seconds:.0f} s")
            found = tuple(trial for trial in known.values() if trial is not None)
            findings.append(Finding(subject.name, probe, found))
    return findings


def _tried(subject: Certified, probe: str, parameters: int, seeds: Sequence[int]) -> Iterator[Trial]:
    """A trial of each seed."""
    if probe == GRADIENT:
        return (gradient_trial(subject, parameters=parameters, seed=seed) for seed in seeds)
    return trials(subject, PROBES[probe], parameters=parameters, seeds=seeds)


class _Kept:
    """The file of one trial; another cell, probe or size has another file."""

    def __init__(self, folder: Path, subject: Certified, probe: str, *, parameters: int, seed: int) -> None:
        settings = dataclasses.asdict(PROBES[probe]) if probe in PROBES else {"steps": gradient.STEPS}
        settings.pop("draw", None)
        settings.pop("holds", None)  # read anew each time
        parts = json.dumps([FORM, subject.identity, settings, parameters, seed], sort_keys=True)
        digest = hashlib.sha256(parts.encode()).hexdigest()[:12]
        self._path = folder / subject.name.replace(":", ".") / f"{probe}-{seed}-{digest}.json"

    def read(self) -> Trial | None:
        """The trial, if it is there."""
        try:
            return Trial(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{self._path}: is no result of a trial; delete it, or give another --to") from error

    def write(self, trial: Trial) -> None:
        """Writes the trial, whole or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(dataclasses.asdict(trial)).encode())
        except OSError as error:
            raise ConfigError(
                f"{self._path}: cannot be written: {error.strerror or error}; give another --to"
            ) from error
