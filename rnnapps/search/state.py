"""A search as it stands: what it is about, and where everything of it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.search.budget import SEEDS, Budget
from rnnapps.search.halving import BASELINE, Record, rung_steps
from rnnapps.search.journal import Journal
from rnnapps.search.space import Space
from rnnapps.verbs.settings import assemble, flatten

__all__ = ["Search"]

AnyPipeline = Pipeline[Any, Any, Any]


@dataclass
class Search:
    """A search.

    Attributes:
        pipeline: the application.
        config: the configuration that it begins with.
        space: what it varies.
        folder: where everything of it lies.
        splits: the data.
        journal: what is known.
        budget: the time.
        metric: name of the validation metric.
        higher_is_better: of that metric.
        most: configurations to try beside the one as it is; 0 for as many as there is time for.
        say: is told in a line what was done.
    """

    pipeline: AnyPipeline
    config: Any
    space: Space
    folder: Path
    splits: Splits
    journal: Journal
    budget: Budget
    metric: str
    higher_is_better: bool
    most: int
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        training = self.config.training
        self.rungs = rung_steps(training.steps, training.evaluate_every)

    def config_of(self, settings: Mapping[str, Any], seed: int | None = None) -> Any:
        """The configuration with some settings changed; raises ConfigError where one is out of range."""
        config = assemble(type(self.config), {**flatten(self.config), **settings})
        return config if seed is None else replace(config, seed=seed)

    def path_of(self, number: int, seed: int | None = None) -> Path:
        """The run folder of a configuration, or of its repetition with another seed."""
        return self.folder / "trials" / (f"{number:03d}" + ("" if seed is None else f"-seed{seed}"))

    def seeds(self) -> list[int]:
        """The seeds of repetitions, which the search itself does not use."""
        return [self.config.seed + more for more in range(1, SEEDS + 1)]

    def in_use(self, number: int, seed: int | None = None) -> bool:
        """Whether a process is training this run now."""
        from rnnapps.training.run import RunFolder

        return RunFolder(self.path_of(number, seed)).in_use()

    def busy(self, records: Sequence[Record]) -> set[int]:
        """The numbers of configurations whose own run is being trained."""
        return {record.number for record in records if record.state == "open" and self.in_use(record.number)}

    def is_at_work(self, records: Sequence[Record]) -> bool:
        """Whether any process is training any run of the search now."""
        repeated = [BASELINE, *(self.journal.facts().get("finalists") or [])]
        return bool(self.busy(records)) or any(
            self.in_use(number, seed) for number in repeated for seed in self.seeds()
        )

    def words(self, settings: Mapping[str, Any]) -> str:
        """Settings that differ from those of the configuration as it is, in a line."""
        now = flatten(self.config)
        changed = [f"{key.rpartition('.')[2]} {value}" for key, value in settings.items() if value != now[key]]
        return ", ".join(changed) or "as it is"
