"""The time of a search: how much is left of it, and how much is kept for the end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from rnnapps.search.journal import Journal

__all__ = ["DEFAULT_MINUTES", "SEEDS", "STRONGEST", "Budget"]

DEFAULT_MINUTES = 20.0
SEEDS = 3
"""How often the best are repeated, each time with a seed that the search has not used."""

STRONGEST = 3
"""How many are repeated, beside the configuration as it is."""

LARGEST_RESERVE = 0.5
SECONDS = "seconds/"


class Budget:
    """Minutes of work of all processes of a search together, over all their calls.

    Args:
        journal: keeps what was spent.
        minutes: what the search may take in all; None for what it was begun with. More than that lets it go on.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, journal: Journal, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._session, self._clock, self._begun = journal, uuid.uuid4().hex[:8], clock, clock()
        known = journal.facts().get("minutes")
        self.minutes: float = minutes or known or DEFAULT_MINUTES
        if self.minutes != known:
            journal.keep("minutes", self.minutes)
            journal.keep("spent_before", self.spent())
            journal.keep("finalists", None)  # there is more time: others may overtake them

    def spend(self) -> None:
        """Notes what this process has spent; what a killed one did since it noted it last is not counted."""
        self._journal.keep(SECONDS + self._session, self._clock() - self._begun)

    def spent(self) -> float:
        """Seconds of work so far."""
        own = SECONDS + self._session
        others = {name: value for name, value in self._journal.facts().items() if name.startswith(SECONDS)}
        before = sum(float(value) for name, value in others.items() if name != own)
        return before + self._clock() - self._begun

    def left(self) -> float:
        """Seconds that are left."""
        return self.minutes * 60 - self.spent()

    def reserve(self, wholes: Sequence[float]) -> float:
        """Seconds to keep for repeating the best and the baseline with other seeds, half of what there was at most.

        Args:
            wholes: how long whole trainings of the baseline and of the best take, as far as they are known; of others
                they are taken to be like the longest.
        """
        expected = [*wholes, *[max(wholes)] * (STRONGEST + 1 - len(wholes))]
        there_was = self.minutes * 60 - float(self._journal.facts().get("spent_before", 0.0))
        return min(SEEDS * sum(expected) + max(expected), LARGEST_RESERVE * there_was)  # and the best to its end
