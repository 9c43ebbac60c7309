r"""Documents of text from built-in documentation, files, folders and TensorFlow Datasets.

Decisions that hold for every source:

- Files are UTF-8, or UTF-16 and UTF-32 with a byte order mark. The mark is dropped; anything undecodable is an error,
  never replaced.
- Line ends `\r\n` and `\r` become `\n`, as in Python's text mode.
- Documents (the files of a folder in the order of their paths, the rows of a data set) are separated by a blank line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.data.file_kinds import require_text
from rnnapps.data.sources import is_tfds, list_files, read_bytes, tfds_builder
from rnnapps.errors import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

__all__ = ["BUILTIN", "TEXT_SUFFIXES", "decode_text", "plain_lines", "read_documents", "separated", "tfds_texts"]

BUILTIN = "builtin"
TEXT_SUFFIXES = (".txt", ".text", ".md", ".rst")
MAXIMUM_BYTES = 1 << 30
_MARKED_ENCODINGS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_documents(source: str) -> list[str]:
    """Reads all documents of a source, each with the separator that follows it.

    Args:
        source: `builtin`, a file, a folder, or `tfds:NAME[/config]` (all its splits).

    Raises:
        DataError: the source is missing, unreadable or not text.
    """
    if source == BUILTIN:
        from pydoc_data.topics import topics

        return separated([topics[name] for name in sorted(topics)])
    if is_tfds(source):
        builder = tfds_builder(source)
        return separated([text for split in sorted(builder.info.splits) for text in tfds_texts(source, builder, split)])
    path = Path(source)
    if not path.is_dir():
        return [decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), source)]
    return _read_folder(path)


def decode_text(content: bytes, name: str | Path) -> str:
    """Decodes UTF-8 strictly, and UTF-16 and UTF-32 where a byte order mark tells of them; line ends become line feeds.

    A leading byte order mark is dropped.

    Args:
        content: bytes of one document.
        name: what to call it in an error.

    Raises:
        DataError: the content is not text, with what it is; or not UTF-8, with the byte and line of the first fault.
    """
    for mark, encoding in _MARKED_ENCODINGS.items():
        if content.startswith(mark):
            return _decode_marked(content, encoding, name)
    require_text(content, name)
    if len(content) >= 64 and content.count(0) * 10 > len(content):
        problem = f"looks binary or like UTF-16: {content.count(0):,} of {len(content):,} bytes are zero"
        raise DataError(name, problem, "convert it to UTF-8 text or leave it out")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start} (line {line}) is 0x{content[error.start]:02x}, which is not UTF-8 text there"
        raise DataError(name, problem, _conversion(content)) from None
    return plain_lines(text)


def _decode_marked(content: bytes, encoding: str, name: str | Path) -> str:
    """Text with the byte order mark of an encoding."""
    try:
        return plain_lines(content.decode(encoding))
    except UnicodeDecodeError as error:
        problem = f"begins with the byte order mark of {encoding}, but byte {error.start} is not text in it"
        raise DataError(name, problem, "restore the file, or leave it out if it is binary") from None


def _conversion(content: bytes) -> str:
    """The way to UTF-8: the one-byte encoding of western Europe where all bytes are characters of it."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "convert the file to UTF-8 (iconv) or leave it out if it is binary"
    return "if it is Latin-1 or Windows-1252 text: iconv -f CP1252 -t UTF-8 FILE > NEW; leave it out if it is binary"


def plain_lines(text: str) -> str:
    """The text without a leading byte order mark, every line ended by a line feed."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _read_folder(folder: Path) -> list[str]:
    """One document for each text file of a folder."""
    paths = list_files(folder, TEXT_SUFFIXES)
    if not paths:
        remedy = f"put files ending in {', '.join(TEXT_SUFFIXES)} there"
        raise DataError(folder, "holds no text file", remedy)
    documents, size = [], 0
    for path in paths:
        content = read_bytes(path, maximum_bytes=MAXIMUM_BYTES)
        size = _require_size(folder, size + len(content))
        documents.append(decode_text(content, path))
    return separated(documents)


def separated(documents: Iterable[str]) -> list[str]:
    """Ends every non-empty document but the last with a blank line."""
    kept = [text for text in documents if text]
    return [_with_blank_line(text) for text in kept[:-1]] + kept[-1:]


def _with_blank_line(text: str) -> str:
    """The text with two line ends behind it."""
    return text + "\n\n"[: 2 - (text.endswith("\n") + text.endswith("\n\n"))]


def tfds_texts(source: str, builder: tfds.core.DatasetBuilder, split: str) -> list[str]:
    """Reads one split of a data set, a text a row.

    Args:
        source: what to call it in an error.
        builder: its prepared `tfds.core.DatasetBuilder`.
        split: name of the split.

    Raises:
        DataError: a row is not text, there is no single text feature, or the split is too large.
    """
    import tensorflow_datasets as tfds

    key = _text_feature(source, builder)
    dataset = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    texts, size = [], 0
    for row, content in enumerate(dataset.map(lambda example: example[key]).as_numpy_iterator()):
        size = _require_size(source, size + len(content))
        texts.append(decode_text(content, f"{source} split {split} row {row}"))
    return texts


def _text_feature(source: str, builder: tfds.core.DatasetBuilder) -> str:
    """Name of the one feature that holds the text."""
    import tensorflow_datasets as tfds

    names = [name for name, feature in builder.info.features.items() if isinstance(feature, tfds.features.Text)]
    if "text" in names:
        return "text"
    if len(names) == 1:
        return str(names[0])
    problem = f"has no single text feature; its features are {', '.join(builder.info.features)}"
    raise DataError(source, problem, "use a data set with a feature named text")


def _require_size(source: str | Path, size: int) -> int:
    """Returns the size, if it may be read into memory."""
    if size > MAXIMUM_BYTES:
        problem = f"holds more than {MAXIMUM_BYTES:,} bytes of text, the most that is read into memory"
        raise DataError(source, problem, "use a smaller part of it")
    return size
