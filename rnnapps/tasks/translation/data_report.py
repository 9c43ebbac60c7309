"""What was understood of sentence pairs: lengths, what is dropped, leakage, and what usually ruins a translator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rnnapps.config import TrainingConfig
from rnnapps.contract.data_report import Caution, DataReport, Example, LeftOut, Part, Suggestion
from rnnapps.contract.sections import Value
from rnnapps.data.look.repeats import repeats
from rnnapps.data.look.spreads import counted, spread
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits
from rnnapps.tasks.translation.data.splits import read_pair_splits
from rnnapps.tasks.translation.data.stored_pairs import StoredPairs

__all__ = ["look_at_pairs"]

FEW_PAIRS = 5_000
SAME = 0.05
EXAMPLES = 3
LOOKED_AT = 500_000
"""Pairs on disk that are looked at."""


def look_at_pairs(data: PairDataConfig, training: TrainingConfig, given: object = None) -> DataReport:
    """Describes sentence pairs; raises DataError as `read_pair_splits` does."""
    whole = read_pair_splits(data, given)
    splits = replace(whole, train=whole.train.evenly(LOOKED_AT)) if isinstance(whole.train, StoredPairs) else whole
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test or ()}
    repeated, copied = repeats(
        {name: [(pair, repr(pair.source[:40])) for pair in own] for name, own in parts.items()},
        "pairs",
        remedy="scores on them are of pairs that were learned by heart: remove them from training",
    )
    histograms = [
        spread(f"characters of a {side}", [len(pair[number]) for pair in splits.train])
        for number, side in enumerate(("sentence", "translation"))
    ]
    words = [Counter(word for pair in splits.train for word in pair[side].split()) for side in (0, 1)]
    return DataReport(
        splits.source,
        facts=_facts(whole, words, looked_at=len(splits.train)),
        parts=[_part(name, own, data, held_out=splits.dealt) for name, own in parts.items() if own],
        listings=[repeated] if repeated else [],
        histograms=[histogram for histogram in histograms if histogram],
        counts=[counted("words of sentences", words[0]), counted("words of translations", words[1])],
        left_out=[LeftOut(reason, count) for reason, count in splits.dropped.items()],
        skipped=splits.skipped,
        cautions=[*copied, *_cautions(splits)],
        suggestions=_suggestions(words, data),
        examples=[Example(f"training pair {number}", "\n".join(pair)) for number, pair in _first(splits)],
        costs={"times that training reads the pairs": _passes(training, whole)},
    )


def _first(splits: PairSplits) -> list[tuple[int, Pair]]:
    """The first training pairs, counted from 1."""
    return list(enumerate(splits.train[:EXAMPLES], start=1))


def _passes(training: TrainingConfig, splits: PairSplits) -> float:
    """How often training goes through all pairs."""
    return round(training.steps * training.batch_size / len(splits.train), 2)


def _facts(splits: PairSplits, words: Sequence[Mapping[str, int]], *, looked_at: int) -> dict[str, Value]:
    """Sizes of the whole, and how many training pairs all else is about, where these are not all."""
    kinds = {"different words in sentences": len(words[0]), "different words in translations": len(words[1])}
    return {"training pairs read": splits.read, "training pairs kept": len(splits.train), **kinds} | (
        {"looked at, of training": f"{looked_at:,} pairs, evenly spread"} if looked_at < len(splits.train) else {}
    )


def _part(name: str, own: Sequence[Pair], config: PairDataConfig, *, held_out: str) -> Part:
    """The size of a part, and why it is that."""
    sizes = {"pairs": len(own), "words of sentences": sum(len(pair.source.split()) for pair in own)}
    if name == "train":
        return Part(name, sizes, "what is not held out")
    path = getattr(config, name)
    share = getattr(config, f"{name}_fraction")
    dealt = f"{100 * share:.0f} % of the {held_out}, dealt at random; all pairs of a sentence are in one part"
    return Part(name, sizes, f"all of {path}" if path is not None else dealt)


def _cautions(splits: PairSplits) -> list[Caution]:
    """What usually ruins a translator."""
    train, cautions = splits.train, []
    if len(train) < FEW_PAIRS:
        told = f"{len(train):,} training pairs; below {FEW_PAIRS:,} only phrases are learned that occur again and again"
        cautions.append(Caution(told, "give more pairs, or fine-tune a trained model: rnnapps models"))
    same = sum(pair.source == pair.target for pair in train)
    if same > SAME * len(train):
        told = f"{100 * same / len(train):.0f} % of the translations are the sentence itself: it learns to copy"
        cautions.append(Caution(told, "leave these pairs out"))
    return cautions


def _suggestions(words: Sequence[Mapping[str, int]], config: PairDataConfig) -> list[Suggestion]:
    """Vocabularies that are not larger than what there is to fill them."""
    named = zip(("source_vocabulary", "target_vocabulary"), words, strict=True)
    return [
        Suggestion(f"data.{name}", max(16, len(own)), f"there are only {len(own):,} different words on this side")
        for name, own in named
        if len(own) < getattr(config, name) and config.tokens == "words"
    ]
