"""Examples that cannot be read: left out and counted up to a limit, or refused; one way for all sources of many."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from rnnapps.config import require, require_choice
from rnnapps.contract.bad_examples import BadExample
from rnnapps.errors import DataError

__all__ = ["LEFT_OUT", "BadExamplesConfig", "GoodExamples", "OnBad", "answered"]

OnBad = Literal["auto", "skip", "refuse"]

LEFT_OUT = "are left out"
"""What is told of examples that are skipped; the verb `data` lists them instead."""

SHOWN = 3
"""Bad examples that are named; the verb `data` lists all."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, kw_only=True)
class BadExamplesConfig:
    """What becomes of examples that cannot be read.

    Attributes:
        on_bad: what to do with an example that cannot be read: skip it, told and counted, or refuse all; auto skips
            those of folders, lists and files of lines, and refuses a single file.
        bad_limit: the largest share of examples that may be skipped, 0 to 1.

    Raises:
        ConfigError: a value is out of range.
    """

    on_bad: OnBad = "auto"
    bad_limit: float = 0.01

    def __post_init__(self) -> None:
        """Checks the values."""
        require_choice("data.on_bad", self.on_bad, OnBad)
        require("data.bad_limit", self.bad_limit, "from 0 to 1", 0 <= self.bad_limit <= 1)


class GoodExamples:
    """Reads the examples of a source, keeps those that can be read, and counts the others.

    Args:
        source: what to call the source.
        config: whether bad examples are skipped, and how many may be.
        noun: what the examples are, in the plural: "recordings", "lines"...
        many: whether the source is one of many examples, of which `auto` skips bad ones.
        fate: what becomes of those that are skipped.

    Attributes:
        bad: those that were skipped.
        count: all that were tried.
        dropped: reason -> examples that are left out whatever the limit, since such are usual.
    """

    def __init__(
        self,
        source: str | Path,
        config: BadExamplesConfig,
        *,
        noun: str,
        many: bool = True,
        fate: str = LEFT_OUT,
    ) -> None:
        self.source, self.config, self.noun, self.fate = str(source), config, noun, fate
        self.skips = config.on_bad == "skip" or (config.on_bad == "auto" and many)
        self.bad: list[DataError] = []
        self.count = 0
        self.dropped: Counter[str] = Counter()

    def read(self, examples: Iterable[Callable[[], ResultT]]) -> Iterator[ResultT]:
        """Yields what each function returns, but for those that raise DataError, which are skipped.

        Raises:
            DataError: an example is bad, and none is to be skipped.
        """
        for example in examples:
            try:
                result = example()
            except DataError as error:
                self.leave_out(error)
                continue
            self.count += 1
            yield result

    def leave_out(self, error: DataError) -> None:
        """Counts a bad example; raises its error where none is to be skipped."""
        if not self.skips:
            raise error
        self.count += 1
        self.bad.append(error)

    @classmethod
    def refusing(cls, source: str | Path, *, noun: str) -> GoodExamples:
        """For a reader that is given none: the first bad example is an error."""
        return cls(source, BadExamplesConfig(on_bad="refuse"), noun=noun)

    @classmethod
    def of_inputs(cls, source: str | Path, *, noun: str) -> GoodExamples:
        """For `predict`: all inputs that can be read are answered, whatever their share."""
        return cls(source, BadExamplesConfig(on_bad="skip", bad_limit=1.0), noun=noun)

    def skipped(self) -> tuple[BadExample, ...]:
        """Those that were skipped so far."""
        return tuple(_described(error) for error in self.bad)

    def finish(self) -> tuple[BadExample, ...]:
        """Tells what was skipped, and returns it.

        Raises:
            DataError: these are more than the limit allows, or all there are.
        """
        if self.bad and (len(self.bad) == self.count or len(self.bad) > self.config.bad_limit * self.count):
            raise self._too_many()
        if self.bad:
            told = f"{len(self.bad):,} of {self.count:,} {self.noun} cannot be read and {self.fate}: {self._named()}"
            print(f"note: {self.source}: {told}", file=sys.stderr)
        return self.skipped()

    def _too_many(self) -> DataError:
        """The error of too many bad examples; of one alone, its own."""
        share = f"{len(self.bad):,} of {self.count:,} {self.noun}"
        first = self.bad[0]
        if len(self.bad) == self.count == 1:
            return first
        limit = f"more than --data.bad_limit {self.config.bad_limit:g} lets pass"
        if len(self.bad) == 1:
            remedy = f"{first.remedy}; " if first.remedy else ""
            return DataError(first.path, first.problem, f"{remedy}this is 1 of {self.count:,} {self.noun}, {limit}")
        problem = f"{share} cannot be read: {self._named()}"
        if len(self.bad) == self.count:
            return DataError(self.source, problem, "correct them, or give others")
        remedy = f"this is {limit}; correct them, leave them out, or raise the limit (the verb data lists all)"
        return DataError(self.source, problem, remedy)

    def _named(self) -> str:
        """The first bad examples, in one line."""
        more = f"; and {len(self.bad) - SHOWN:,} more" if len(self.bad) > SHOWN else ""
        return "; ".join(f"{error.path}: {error.problem}" for error in self.bad[:SHOWN]) + more


def answered(answers: Iterable[Callable[[], ResultT]], *, many: bool) -> Iterator[ResultT | BadExample]:
    """Yields what each function returns as soon as it does, or, of inputs that cannot be read, what is wrong with them.

    Args:
        answers: what answers each input, or raises DataError.
        many: whether the others are to be answered where one cannot be read.

    Raises:
        DataError: an input cannot be read, and it is the only one.
    """
    for answer in answers:
        try:
            result: ResultT | BadExample = answer()
        except DataError as error:
            if not many:
                raise
            result = _described(error)
        yield result


def _described(error: DataError) -> BadExample:
    """A bad example of an error."""
    return BadExample(error.path, error.problem + (f"; {error.remedy}" if error.remedy else ""))
