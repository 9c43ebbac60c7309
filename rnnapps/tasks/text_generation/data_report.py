"""What was understood of a text: its documents, characters and split, and what usually ruins a model of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias

from rnnapps.config import TrainingConfig
from rnnapps.contract.data_report import AS_IT_IS, Caution, DataReport, Example, Part, Suggestion
from rnnapps.contract.sections import Value
from rnnapps.data.archives import unpacked_source
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.look.repeats import repeats
from rnnapps.data.look.spreads import counted, spread
from rnnapps.data.text.documents import text_files
from rnnapps.data.text.encodings import encoding_of
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.long_files import lines_of
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text_parts import TextParts, characters, read_parts

__all__ = ["look_at_text"]

Lines: TypeAlias = "dict[str, list[tuple[Hashable, str]]]"
"""Name of a part -> each line of it that hardly occurs twice by chance, and what to call it."""

PASSAGE = 240
"""Characters of an example."""

LONG_LINE = 40
"""Shorter lines occur twice by chance."""

SHORT = 50_000
"""Characters below which a model learns words, and hardly any sentences."""

READ = "times that training reads the text"

LOOKED_AT, PASSAGES = 20_000_000, 200
"""Characters of a text on disk that are looked at, and in how many passages; what is cheap is found of all."""

UNKNOWN = 0.005
STRUCTURED = 0.5


def look_at_text(data: TextDataConfig, training: TrainingConfig, given: object = None) -> DataReport:
    """Describes a text; raises DataError as `read_parts` does."""
    parts = read_parts(data, given)
    sizes, texts = {name: characters(own) for name, own in _pieces(parts).items()}, _looked_at(parts)
    symbols = Counter(texts["train"] if isinstance(parts.train, list) else parts.train.symbols())
    lines = {name: _long_lines(text) for name, text in texts.items()}
    repeated, copied = repeats(
        lines if isinstance(parts.train, list) else _shared_lines(parts.train, lines),
        f"lines of {LONG_LINE} characters and more",
        remedy="scores on them are of text that was learned by heart: remove copies, or hold out other documents",
    )
    lengths = spread("characters of a line", [len(line) for text in texts.values() for line in text.split("\n")])
    window = training.batch_size * training.window_steps
    read, by_characters = round(training.steps * window / sizes["train"], 2), data.tokens == "characters"
    return DataReport(
        parts.source,
        facts={**_facts(data, given), "different characters in training": len(symbols), **_excerpt(parts)},
        parts=[_part(name, size, parts, data) for name, size in sizes.items()],
        listings=[repeated] if repeated else [],
        histograms=[lengths] if lengths else [],
        counts=[counted("characters", {repr(sign): count for sign, count in symbols.items()})],
        skipped=parts.skipped,
        cautions=[*copied, *_cautions(texts, symbols)],
        suggestions=_suggestions(sizes["train"], training) if by_characters else [],
        examples=_examples(texts),
        costs={"memory of the text, MB": round(_megabytes(parts), 2)} | ({READ: read} if by_characters else {}),
    )


def _pieces(parts: TextParts) -> dict[str, list[str] | StoredText]:
    """The pieces of each part that there is."""
    named = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    return {name: pieces for name, pieces in named.items() if pieces is not None}


def _looked_at(parts: TextParts) -> dict[str, str]:
    """The text of each part; of a text on disk evenly spread passages."""
    return {
        name: "".join(pieces if isinstance(pieces, list) else pieces.passages(PASSAGES, LOOKED_AT // PASSAGES))
        for name, pieces in _pieces(parts).items()
    }


def _excerpt(parts: TextParts) -> dict[str, Value]:
    """How much was looked at of a text on disk."""
    if isinstance(parts.train, list):
        return {}
    looked = f"{min(LOOKED_AT, len(parts.train)):,} characters, evenly spread; and all for copies and characters"
    return {"looked at, of training": looked}


def _shared_lines(train: StoredText, lines: Lines) -> Lines:
    """Of a training text on disk those lines alone that are held out too."""
    held = {content for name, own in lines.items() if name != "train" for content, _ in own}
    found: dict[Hashable, str] = {}
    for stretch in lines_of(train.texts()):
        line = stretch.strip()
        if line in held:
            found.setdefault(line, repr(line[:30]))
    return {**lines, "train": list(found.items())}


def _facts(config: TextDataConfig, given: object) -> dict[str, Value]:
    """What kind of source it is."""
    path = unpacked_source(config.source)
    if given is None and path.is_dir():
        kinds = Counter(plain_suffix(file) for file in text_files(path, config.pattern))
        return {"files": ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))}
    if given is None and path.is_file():
        with open(path, "rb") as file:
            encoding = encoding_of(file.read(4))
        return {"file": path.name, "bytes": path.stat().st_size, "encoding": encoding}
    return {}


def _part(name: str, size: int, parts: TextParts, config: TextDataConfig) -> Part:
    """The size of a part, and why it is that."""
    path = getattr(config, name, None)
    if path is not None:
        reason = f"all of {path}"
    elif name in parts.own:
        own = name != "train" or len(parts.own) > 1
        reason = AS_IT_IS if own else "what is not held out" if parts.evenly else "the beginning of the text"
    elif parts.evenly:
        reason = f"{100 * getattr(config, f'{name}_fraction'):.0f} % of the documents, or of the end of each long one"
    else:
        share, before = getattr(config, f"{name}_fraction"), name == "validation" and config.test_fraction > 0
        reason = f"the last {100 * share:.0f} % of the text" + (", before the test" if before else "")
    pieces = _pieces(parts)[name]
    feeds = pieces.symbols().get("\n", 0) if isinstance(pieces, StoredText) else sum(t.count("\n") for t in pieces)
    return Part(name, {"characters": size, "lines": feeds}, reason)


def _long_lines(text: str) -> list[tuple[Hashable, str]]:
    """The lines that hardly occur twice by chance."""
    lines = (line.strip() for line in text.split("\n"))
    return [(line, repr(line[:30])) for line in lines if len(line) >= LONG_LINE]


def _cautions(texts: Mapping[str, str], symbols: Mapping[str, int]) -> list[Caution]:
    """What usually ruins a model of text."""
    cautions = []
    if len(texts["train"]) < SHORT:
        told = f"the training text has {len(texts['train']):,} characters; below {SHORT:,} it is soon learned by heart"
        cautions.append(Caution(told, "give more text, or fine-tune a trained model: rnnapps models"))
    for name, text in texts.items():
        unknown = Counter(sign for sign in text if sign not in symbols)
        if text and unknown.total() > UNKNOWN * len(text):
            named = ", ".join(repr(sign) for sign, _ in unknown.most_common(5))
            told = f"{100 * unknown.total() / len(text):.1f} % of the {name} characters are not in training: {named}"
            cautions.append(Caution(told, "the end of the text may be of another kind: hold out another file"))
    lines = [line for line in texts["train"].split("\n") if line.strip()]
    objects = sum(line.lstrip()[0] in "{[" and line.rstrip()[-1] in "]}," for line in lines)
    if lines and objects > STRUCTURED * len(lines):
        share = 100 * objects / len(lines)
        told = f"{share:.0f} % of the lines look like JSON: braces and keys are learned with the text"
        cautions.append(Caution(told, "write the texts alone into a file, for instance: jq -r .text FILE > TEXTS"))
    return cautions


def _suggestions(characters: int, training: TrainingConfig) -> list[Suggestion]:
    """Smaller batches and windows, where the text does not fill one batch."""
    batch_size, window_steps = training.batch_size, training.window_steps
    if not training.carry_state or characters > batch_size * window_steps:
        return []
    window = min(window_steps, max(1, (characters - 1) // 2))
    batch = max(1, (characters - 1) // window)
    reason = f"{batch_size} sequences of {window_steps} steps need {batch_size * window_steps + 1:,} characters"
    values = {"batch_size": min(batch, batch_size), "window_steps": window}
    return [
        Suggestion(f"training.{name}", value, reason)
        for name, value in values.items()
        if value != getattr(training, name)
    ]


def _examples(texts: Mapping[str, str]) -> Sequence[Example]:
    """The beginning and the middle of the training text, and the beginning of the validation text."""
    middle = len(texts["train"]) // 2
    passages = {
        "beginning of the training text": texts["train"][:PASSAGE],
        "middle of the training text": texts["train"][middle : middle + PASSAGE],
        "beginning of the validation text": texts["validation"][:PASSAGE],
    }
    return [Example(title, text) for title, text in passages.items()]


def _megabytes(parts: TextParts) -> float:
    """Memory of the texts as ids of 16 bits, but for those on disk."""
    return sum(characters(own) for own in _pieces(parts).values() if isinstance(own, list)) * 2 / 2**20
