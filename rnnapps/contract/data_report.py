"""What a pipeline has understood of its data, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.sections import Block, Value
from rnnapps.contract.splits import Splits

__all__ = [
    "AS_IT_IS",
    "Caution",
    "Counts",
    "DataReport",
    "Example",
    "Histogram",
    "LeftOut",
    "Lines",
    "Listing",
    "Part",
    "Suggestion",
]

PARTS = ("train", "validation", "test")

AS_IT_IS = "as the source has it"
"""Why a part is what it is, where nothing was dealt out."""


@dataclass(frozen=True)
class Part:
    """The training, validation or test part.

    Attributes:
        name: train, validation or test.
        sizes: what it holds, in its units: {"recordings": 240, "hours": 1.2}.
        reason: why these examples are in it.
    """

    name: str
    sizes: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True)
class Histogram:
    """How a number is spread over the examples: their lengths, for one.

    Attributes:
        title: what the number is, with its unit.
        edges: borders of the bins, one more than `counts`.
        counts: examples of each bin.
        marks: least, median, largest... by name.
    """

    title: str
    edges: Sequence[float]
    counts: Sequence[int]
    marks: Mapping[str, float]


@dataclass(frozen=True)
class Counts:
    """How often something occurs: labels, speakers, symbols.

    Attributes:
        title: what they are, in the plural.
        counts: name -> occurrences, the commonest first; only those that are shown.
        kinds: number of different ones.
    """

    title: str
    counts: Mapping[str, int]
    kinds: int


@dataclass(frozen=True)
class Listing:
    """A table, such as that of columns and their roles.

    Attributes:
        title: what it shows.
        columns: its headings.
        rows: its cells; the first names the row.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]


@dataclass(frozen=True)
class LeftOut:
    """Examples that were read, and are not used.

    Attributes:
        reason: why.
        count: how many they are.
    """

    reason: str
    count: int


@dataclass(frozen=True)
class Caution:
    """Something that usually ruins a model.

    Attributes:
        text: what was seen, with its figures.
        remedy: what can be done about it: flags to copy, or a change of the data.
    """

    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A setting that suits the data.

    Attributes:
        flag: its name without the dashes, such as `data.season_steps`.
        value: what to set it to.
        reason: why.
    """

    flag: str
    value: str | float | bool
    reason: str

    def __str__(self) -> str:
        """As it is typed."""
        value = str(self.value).lower() if isinstance(self.value, bool) else f"{self.value}"
        quoted = f"'{value}'" if any(sign in value for sign in " *?[]$;&|<>()\\") else value
        return f"--{self.flag} {quoted}"


@dataclass(frozen=True)
class Example:
    """One example as a person looks at it.

    Attributes:
        title: what it is called, and what it is an example of.
        text: as text.
        blocks: makes a picture or a sound of it, for the page; None where the text says all.
    """

    title: str
    text: str
    blocks: Callable[[], Sequence[Block]] | None = None


@dataclass(frozen=True)
class Lines:
    """Curves of a few hundred points, such as those of sensors.

    Attributes:
        title: what they show.
        across: values of the axis that they share.
        curves: name -> values; NaN where nothing was measured.
        axis: what the shared axis is.
    """

    title: str
    across: Sequence[float]
    curves: Mapping[str, Sequence[float]]
    axis: str


@dataclass(frozen=True)
class DataReport:
    """What was understood of a source.

    Attributes:
        source: what a person would call the data.
        facts: format, dialect, rates, zones..., by name.
        parts: the split.
        listings: tables, such as that of columns and their roles.
        histograms: of lengths above all.
        counts: of labels, speakers, symbols.
        left_out: examples that are not used, by reason.
        skipped: all examples that cannot be read.
        cautions: what usually ruins a model.
        suggestions: settings that suit the data.
        examples: a few of them.
        lines: curves, for the page.
        notes: what readers told while they read.
        costs: estimates of memory and time.
    """

    source: str
    facts: Mapping[str, Value] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    listings: Sequence[Listing] = ()
    histograms: Sequence[Histogram] = ()
    counts: Sequence[Counts] = ()
    left_out: Sequence[LeftOut] = ()
    skipped: Sequence[BadExample] = ()
    cautions: Sequence[Caution] = ()
    suggestions: Sequence[Suggestion] = ()
    examples: Sequence[Example] = ()
    lines: Sequence[Lines] = ()
    notes: Sequence[str] = ()
    costs: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of_splits(cls, splits: Splits) -> DataReport:
        """What can be said of any data: the sizes of the parts, where they have a length."""
        held = {name: getattr(splits, name, None) for name in PARTS}
        parts = [Part(name, {"examples": len(part)}) for name, part in held.items() if isinstance(part, Sized)]
        return cls(splits.source, parts=parts, skipped=getattr(splits, "skipped", ()))

    def as_dict(self) -> dict[str, Any]:
        """All of it but pictures and sounds, as JSON can hold it."""
        plain: dict[str, Any] = {name: dict(getattr(self, name)) for name in ("facts", "costs")}
        for name in ("parts", "listings", "histograms", "counts", "left_out", "skipped", "cautions"):
            plain[name] = [dict(vars(each)) for each in getattr(self, name)]
        plain["suggestions"] = [{**vars(each), "flag": f"--{each.flag}"} for each in self.suggestions]
        plain["examples"] = [{"title": each.title, "text": each.text} for each in self.examples]
        return {"source": self.source, **plain, "notes": list(self.notes)}
