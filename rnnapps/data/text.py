r"""Raw text from built-in documentation, files, folders and TensorFlow Datasets, split before windows are cut.

What the model reads is the concatenation of a split's strings. Decisions that hold for every source:

- Files are UTF-8. A byte order mark at the start is dropped; anything undecodable is an error, never replaced.
- Line ends `\r\n` and `\r` become `\n`, as in Python's text mode.
- Documents (the files of a folder in the order of their paths, the rows of a data set) are separated by a blank line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import tensorflow as tf

from rnnapps.data.sources import RawSplits, is_tfds, list_files, read_bytes, tfds_builder
from rnnapps.data.text_config import TextDataConfig
from rnnapps.errors import DataError

__all__ = ["TEXT_SUFFIXES", "decode_text", "joined", "read_documents", "read_splits", "split_contiguously"]

BUILTIN = "builtin"
TEXT_SUFFIXES = (".txt", ".text", ".md", ".rst")
MAXIMUM_BYTES = 1 << 30
MINIMUM_CHARACTERS = 2
_OTHER_ENCODINGS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_splits(config: TextDataConfig) -> RawSplits:
    """Reads the source and splits it.

    Returns:
        Datasets of scalar strings (UTF-8); the strings of a split in order are one contiguous text.

    Raises:
        DataError: a source is missing, not text, empty or too short.
    """
    parts = _tfds_parts(config) if is_tfds(config.source) else _fraction_parts(config)
    train, validation, test = parts
    if config.test is not None:
        test = read_documents(config.test)
    for name, documents in (("training", train), ("validation", validation), ("test", test)):
        if documents is not None:
            source = config.test if name == "test" and config.test is not None else config.source
            _require_characters(source, name, documents)
    return RawSplits(_dataset(train), _dataset(validation), None if test is None else _dataset(test), _title(config))


def read_documents(source: str) -> list[str]:
    """Reads all documents of a source, each with the separator that follows it.

    Args:
        source: `builtin`, a file, a folder, or `tfds:NAME[/config]` (all its splits).

    Raises:
        DataError: the source is missing, unreadable or not text.
    """
    if source == BUILTIN:
        from pydoc_data.topics import topics

        return _separated([topics[name] for name in sorted(topics)])
    if is_tfds(source):
        builder = tfds_builder(source)
        return _separated(
            [text for split in sorted(builder.info.splits) for text in _tfds_texts(source, builder, split)]
        )
    path = Path(source)
    if not path.is_dir():
        return [decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), source)]
    return _read_folder(path)


def decode_text(content: bytes, name: str | Path) -> str:
    """Decodes UTF-8 strictly, drops a leading byte order mark and makes every line end a line feed.

    Args:
        content: bytes of one document.
        name: what to call it in an error.

    Raises:
        DataError: the content is not UTF-8 text, with the byte offset and line of the first fault.
    """
    for mark, encoding in _OTHER_ENCODINGS.items():
        if content.startswith(mark):
            remedy = f"convert it with: iconv -f {encoding} -t UTF-8"
            raise DataError(name, f"is {encoding} text, expected UTF-8", remedy)
    if len(content) >= 64 and content.count(0) * 10 > len(content):
        problem = f"looks binary or like UTF-16: {content.count(0):,} of {len(content):,} bytes are zero"
        raise DataError(name, problem, "convert it to UTF-8 text or leave it out")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start} (line {line}) is 0x{content[error.start]:02x}, which is not UTF-8 text there"
        raise DataError(name, problem, "convert the file to UTF-8 (iconv) or leave it out if it is binary") from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def split_contiguously(documents: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Cuts the concatenation of documents into contiguous parts.

    Args:
        documents: texts in order.
        fractions: share of the characters of every part but the first, which gets the rest.

    Returns:
        One list of non-empty pieces a part; all pieces in order are the documents again.
    """
    total = sum(map(len, documents))
    bounds = [0, *(int(total * (1 - sum(fractions[part:]))) for part in range(len(fractions))), total]
    starts = list(accumulate(map(len, documents), initial=0))
    return [
        [
            piece
            for start, text in zip(starts, documents, strict=False)
            if (piece := text[max(low - start, 0) : max(high - start, 0)])
        ]
        for low, high in pairwise(bounds)
    ]


def joined(split: tf.data.Dataset) -> str:
    """Returns the whole text of a split as one string."""
    return "".join(text.decode("utf-8") for text in split.as_numpy_iterator())


def _read_folder(folder: Path) -> list[str]:
    paths = list_files(folder, TEXT_SUFFIXES)
    if not paths:
        remedy = f"put files ending in {', '.join(TEXT_SUFFIXES)} there"
        raise DataError(folder, "holds no text file", remedy)
    documents, size = [], 0
    for path in paths:
        content = read_bytes(path, maximum_bytes=MAXIMUM_BYTES)
        size = _require_size(folder, size + len(content))
        documents.append(decode_text(content, path))
    return _separated(documents)


def _separated(documents: Iterable[str]) -> list[str]:
    """Ends every non-empty document but the last with a blank line."""
    kept = [text for text in documents if text]
    return [_with_blank_line(text) for text in kept[:-1]] + kept[-1:]


def _with_blank_line(text: str) -> str:
    return text + "\n\n"[: 2 - (text.endswith("\n") + text.endswith("\n\n"))]


def _fraction_parts(config: TextDataConfig) -> tuple[list[str], list[str], list[str] | None]:
    documents = read_documents(config.source)
    parts = split_contiguously(documents, [config.validation_fraction, config.test_fraction])
    return parts[0], parts[1], parts[2] if config.test_fraction else None


def _tfds_parts(config: TextDataConfig) -> tuple[list[str], list[str], list[str] | None]:
    builder = tfds_builder(config.source)
    present = set(builder.info.splits)
    if "train" not in present:
        problem = f"has no split train but {', '.join(sorted(present)) or 'none at all'}"
        raise DataError(config.source, problem, "use another data set")
    own = {
        name: _separated(_tfds_texts(config.source, builder, name))
        for name in ("train", "validation", "test")
        if name in present
    }
    missing = [
        config.validation_fraction if "validation" not in own else 0.0,
        config.test_fraction if "test" not in own else 0.0,
    ]
    train, validation, test = split_contiguously(own["train"], missing)
    return train, own.get("validation", validation), own.get("test", test or None)


def _tfds_texts(source: str, builder: Any, split: str) -> list[str]:
    import tensorflow_datasets as tfds

    key = _text_feature(source, builder)
    dataset = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    texts, size = [], 0
    for row, content in enumerate(dataset.map(lambda example: example[key]).as_numpy_iterator()):
        size = _require_size(source, size + len(content))
        texts.append(decode_text(content, f"{source} split {split} row {row}"))
    return texts


def _text_feature(source: str, builder: Any) -> str:
    import tensorflow_datasets as tfds

    names = [name for name, feature in builder.info.features.items() if isinstance(feature, tfds.features.Text)]
    if "text" in names:
        return "text"
    if len(names) == 1:
        return str(names[0])
    problem = f"has no single text feature; its features are {', '.join(builder.info.features)}"
    raise DataError(source, problem, "use a data set with a feature named text")


def _require_size(source: str | Path, size: int) -> int:
    if size > MAXIMUM_BYTES:
        problem = f"holds more than {MAXIMUM_BYTES:,} bytes of text, the most that is read into memory"
        raise DataError(source, problem, "use a smaller part of it")
    return size


def _require_characters(source: str, name: str, documents: Sequence[str]) -> None:
    characters = sum(map(len, documents))
    if characters < MINIMUM_CHARACTERS:
        problem = f"the {name} text has {characters} characters, at least {MINIMUM_CHARACTERS} are needed"
        raise DataError(source, problem, "give a longer text or change the fractions")


def _dataset(documents: Sequence[str]) -> tf.data.Dataset:
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices([text.encode("utf-8") for text in documents])


def _title(config: TextDataConfig) -> str:
    return "Python documentation (pydoc_data.topics)" if config.source == BUILTIN else config.source
