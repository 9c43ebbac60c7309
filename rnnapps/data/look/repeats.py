"""Examples that occur twice: within a part, and, which is worse, in two parts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from rnnapps.contract.data_report import Caution, Listing
from rnnapps.printable import name_list

__all__ = ["crossing_groups", "repeats"]

SHOWN = 3


def repeats(
    parts: Mapping[str, Sequence[tuple[Hashable, str]]], what: str, *, remedy: str
) -> tuple[Listing | None, list[Caution]]:
    """What occurs twice.

    Args:
        parts: name of a part -> (content, what to call it) of each example.
        what: what the examples are, in the plural.
        remedy: what to do about examples that are in training and elsewhere.

    Returns:
        A table of repeats within and across parts, None where there are none; and what to say of held-out examples
        that training knows.
    """
    known: dict[str, dict[Hashable, str]] = {}
    rows, cautions = [], []
    for name, examples in parts.items():
        own: dict[Hashable, str] = {}
        for content, place in examples:
            own.setdefault(content, place)
        if within := len(examples) - len(own):
            rows.append((f"within {name}", within, len(examples)))
        for other, others in known.items():
            shared = [content for content in own if content in others]
            count = sum(content in others for content, _ in examples)
            if shared:
                rows.append((f"of {name} also in {other}", count, len(examples)))
            if shared and other == "train":
                named = ", ".join(f"{own[content]} = {others[content]}" for content in shared[:SHOWN])
                told = f"{count:,} of {len(examples):,} {name} {what} are in training too: {named}"
                cautions.append(Caution(told, remedy))
        known[name] = own
    listing = Listing(f"repeated {what}", ("", "repeated", "of"), rows) if rows else None
    return listing, cautions


def crossing_groups(parts: Mapping[str, Sequence[str]], what: str, *, remedy: str) -> list[Caution]:
    """Tells of groups, such as speakers, that are on both sides of a split.

    Args:
        parts: name of a part -> group of each of its examples; empty where it is not known.
        what: what the groups are, in the plural.
        remedy: what to do about it.
    """
    train = set(filter(None, parts.get("train", ())))
    cautions = []
    for name, groups in parts.items():
        own = set(filter(None, groups))
        shared = sorted(own & train)
        if name != "train" and shared:
            told = f"{len(shared):,} of {len(own):,} {what} of {name} are in training too: {name_list(shared, SHOWN)}"
            cautions.append(Caution(told, remedy))
    return cautions
