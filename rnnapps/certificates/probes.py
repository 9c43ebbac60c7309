"""The probes: what each asks, how long it trains, and from where on a cell is said to hold."""

from __future__ import annotations

import dataclasses

from rnnapps.certificates import problems
from rnnapps.certificates.problems import Draw

__all__ = ["GRADIENT", "PROBES", "Probe"]


@dataclasses.dataclass(frozen=True)
class Probe:
    """One ability that is tried.

    Scores run from 0, what answering without looking reaches, to 1, all right.

    Attributes:
        asks: what it asks of a cell, a line.
        draw: makes inputs and targets.
        outputs: number of classes, or 1 for a number.
        steps: length of the training sequences, in the end.
        tested: length of the sequences that are scored.
        validated: length of the sequences that end the training early; never those that are scored.
        grown: lengths of the training sequences, one after the other, each for an equal share of the updates. Where
            two things lie far apart, what a cell learns at short distances first says what it can, not how lucky it is.
        updates: training steps at most.
        holds: the score from which on the cell is said to hold. No guess reaches it: the scored answers are thousands.
    """

    asks: str
    draw: Draw
    outputs: int
    steps: int
    tested: int
    validated: int
    grown: tuple[int, ...]
    updates: int
    holds: float

    @property
    def scored_from(self) -> int:
        """The first step that is scored: the first that is behind all training, where sequences are longer."""
        return self.steps if self.tested > self.steps else 0

    def steps_at(self, update: int) -> int:
        """Length of the training sequences of an update, counted from 0."""
        return self.grown[min(update * len(self.grown) // self.updates, len(self.grown) - 1)]

    @property
    def is_number(self) -> bool:
        """Whether the answer is a number, not a class."""
        return self.outputs == 1

    def score(self, measure: float) -> float:
        """The score of a share of right answers, or of a mean squared error where the answer is a number."""
        if self.is_number:
            return max(0.0, 1 - measure * 6)
        chance = 1 / self.outputs
        return max(0.0, (measure - chance) / (1 - chance))


def _same_length(asks: str, draw: Draw, outputs: int, *, grown: tuple[int, ...], updates: int) -> Probe:
    """Trained at growing lengths, validated and tested at the last."""
    holds = 0.8 if outputs == 1 else 0.9
    return Probe(asks, draw, outputs, grown[-1], grown[-1], grown[-1], grown, updates, holds)


def _longer(asks: str, draw: Draw, outputs: int, *, updates: int) -> Probe:
    """Trained at 40 steps, validated at 4 times and tested at 16 times as many."""
    return Probe(asks, draw, outputs, 40, 640, 160, (40,), updates, 0.9)


SYMBOLS, ORDERS, VALUES = problems.SYMBOLS, len(problems.ORDERS), problems.VALUES

PROBES: dict[str, Probe] = {
    "parity": _longer("tells odd from even, trained at 40 steps, at 640", problems.parity, 2, updates=800),
    "permutations": _longer(
        "follows three things through permutations (S3), trained at 40 steps, at 640",
        problems.permutations_of_three,
        ORDERS,
        updates=1000,
    ),
    "recall": _same_length("says the values of 12 keys", problems.recall, VALUES, grown=(24,), updates=900),
    "copying": _same_length("repeats 4 symbols after 40 blanks", problems.copying, SYMBOLS, grown=(48,), updates=900),
    "selective_copying": _same_length(
        "repeats 4 symbols from among 40 blanks", problems.selective_copying, SYMBOLS, grown=(48,), updates=900
    ),
    "adding_100": _same_length("adds two marked of 100 numbers", problems.adding, 1, grown=(20, 100), updates=900),
    "adding_400": _same_length(
        "adds two marked of 400 numbers", problems.adding, 1, grown=(20, 100, 400), updates=1000
    ),
}
"""What is trained; beside it stands the gradient of a new cell."""

GRADIENT = "gradient_1000"
"""How much of a gradient is left 1,000 steps back, in a new cell."""
