r"""Documents of text from built-in documentation, files, folders and TensorFlow Datasets.

Decisions that hold for every source:

- Files are UTF-8, or UTF-16 and UTF-32 with a byte order mark, which is dropped; others are read in the encoding that
  was given, or that makes sense of them, which is told. Anything undecodable is an error, never replaced.
- Of documents with markup (HTML, EPUB, DOCX) the text is read, unless the markup is to be kept.
- Line ends `\r\n` and `\r` become `\n`, as in Python's text mode.
- Documents (the files of a folder in the order of their paths, the rows of a data set) are separated by a blank line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.converters import converted, converter_suffixes
from rnnapps.data.file_kinds import require_text
from rnnapps.data.sources import is_tfds, list_files, read_bytes, tfds_builder
from rnnapps.data.text.encodings import encoding_of, found_encoding, text_in
from rnnapps.data.text.marked_up import DOCUMENT_SUFFIXES, document_reader
from rnnapps.data.text.read_as import ReadAs
from rnnapps.data.text.records import has_records, record_texts
from rnnapps.errors import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

__all__ = [
    "BUILTIN",
    "TEXT_SUFFIXES",
    "Document",
    "DocumentT",
    "decode_text",
    "file_documents",
    "plain_lines",
    "read_documents",
    "separate",
    "separated",
    "source_files",
    "text_files",
    "tfds_texts",
]

BUILTIN = "builtin"
TEXT_SUFFIXES = (".txt", ".text", ".md", ".rst")
MAXIMUM_BYTES = 1 << 30


class Document(Protocol):
    """A text as `str` has it, as far as documents are split and put together."""

    def __len__(self) -> int:
        """Number of characters."""

    def __getitem__(self, places: slice, /) -> Self:
        """Consecutive characters."""

    def __add__(self, more: str, /) -> Self:
        """With more behind it."""

    def rstrip(self, characters: str, /) -> Self:
        """Without these characters at its end."""

    def endswith(self, end: str, /) -> bool:
        """Whether it ends so."""


DocumentT = TypeVar("DocumentT", bound=Document)


def read_documents(source: str, good: GoodExamples | None = None, read_as: ReadAs | None = None) -> list[str]:
    """Reads all documents of a source, each with the separator that follows it.

    Args:
        source: `builtin`, a file, a folder, or `tfds:NAME[/config]` (all its splits).
        good: counts the documents that cannot be read; without it the first one is an error.
        read_as: how files are read; by default as texts in UTF-8.

    Raises:
        DataError: the source is missing, unreadable or not text.
    """
    if source == BUILTIN:
        from pydoc_data.topics import topics

        return separated([topics[name] for name in sorted(topics)])
    good, read_as = good or GoodExamples.refusing(source, noun="documents"), read_as or ReadAs()
    if is_tfds(source):
        builder = tfds_builder(source)
        splits = sorted(builder.info.splits)
        return separated([text for split in splits for text in tfds_texts(source, builder, split, good)])
    path = unpacked_source(source)
    if not path.is_dir():
        return separated(file_documents(path, read_as, good, name=source))
    return separated(_within_memory(path, _folder_documents(source_files(path, read_as), read_as, good)))


def source_files(folder: Path, read_as: ReadAs) -> list[Path]:
    """The files of a folder that are read; raises DataError where there are none."""
    paths = text_files(folder, read_as.pattern)
    if not paths:
        wanted = f"that {read_as.pattern} finds" if read_as.pattern else f"ending in {', '.join(TEXT_SUFFIXES)}"
        problem = f"holds no {f'file {wanted}' if read_as.pattern else 'text file'}"
        raise DataError(folder, problem, f"put files {wanted} there, or give --data.pattern, such as '*.py'")
    return paths


def text_files(folder: Path, pattern: str = "") -> list[Path]:
    """The files of a folder that are read: texts, or else documents with markup; or those that a pattern finds.

    Args:
        folder: an existing folder.
        pattern: as a shell has it, of names, `*.py`, or of paths within the folder, `src/*.py`.
    """
    if not pattern:
        return list_files(folder, (*TEXT_SUFFIXES, *converter_suffixes("text"))) or list_files(
            folder, DOCUMENT_SUFFIXES
        )
    every = list_files(folder)
    return [path for path in every if path.match(pattern) or path.relative_to(folder).match(pattern)]


def decode_text(content: bytes, name: str | Path, *, encoding: str = "", guess: bool = False) -> str:
    """Decodes UTF-8 strictly, and UTF-16 and UTF-32 where a byte order mark tells of them; line ends become line feeds.

    A leading byte order mark is dropped.

    Args:
        content: bytes of one document.
        name: what to call it in an error.
        encoding: of the document, where it is known.
        guess: whether what is not UTF-8 is read in the encoding that makes sense of it, which is told.

    Raises:
        DataError: the content is not text, with what it is; or not UTF-8, with the byte and line of the first fault.
    """
    marked = encoding_of(content[:4])
    if marked != "UTF-8":
        return _decode_marked(content, marked, name)
    require_text(content, name)
    if encoding:
        return plain_lines(text_in(content, encoding, name))
    if len(content) >= 64 and content.count(0) * 10 > len(content):
        problem = f"looks binary or like UTF-16: {content.count(0):,} of {len(content):,} bytes are zero"
        raise DataError(name, problem, "convert it to UTF-8 text or leave it out")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = found_encoding(content, name) if guess else None
        if found is not None:
            return plain_lines(content.decode(found))
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


def _folder_documents(paths: Iterable[Path], read_as: ReadAs, good: GoodExamples) -> Iterator[str]:
    """The documents of the files of a folder: one each, or one a record."""
    for path in paths:
        try:
            yield from file_documents(path, read_as, good, name=path)
        except DataError as error:
            good.leave_out(error)
        else:
            good.count += not has_records(path, read_as.field)


def file_documents(path: Path, read_as: ReadAs, good: GoodExamples, *, name: str | Path) -> list[str]:
    """The documents of a file: one, or one a record.

    Args:
        path: the file.
        read_as: how it is read.
        good: counts the records that cannot be read.
        name: what to call the file in errors.

    Raises:
        DataError: it is missing, too large, or not text.
    """
    path = converted(path, "text")
    content = read_bytes(path, maximum_bytes=MAXIMUM_BYTES)
    reader = document_reader(path, content) if read_as.markup == "strip" else None
    if reader is not None:
        return [plain_lines(reader(content, name))]
    text = decode_text(content, name, encoding=read_as.encoding, guess=True)
    if has_records(path, read_as.field):
        return list(record_texts(name, text, read_as.field, good))
    return [text]


def separated(documents: Iterable[DocumentT]) -> list[DocumentT]:
    """Ends every non-empty document but the last with a blank line."""
    return list(separate(documents))


def separate(documents: Iterable[DocumentT]) -> Iterator[DocumentT]:
    """Yields every non-empty document, all but the last with a blank line at its end."""
    before: DocumentT | None = None
    for text in documents:
        if not len(text):
            continue
        if before is not None:
            yield _with_blank_line(before)
        before = text
    if before is not None:
        yield before


def _with_blank_line(text: DocumentT) -> DocumentT:
    """The text with two line ends behind it."""
    return text + "\n\n"[: 2 - (text.endswith("\n") + text.endswith("\n\n"))]


def tfds_texts(source: str, builder: tfds.core.DatasetBuilder, split: str, good: GoodExamples) -> list[str]:
    """Reads one split of a data set, a text a row.

    Args:
        source: what to call it in an error.
        builder: its prepared `tfds.core.DatasetBuilder`.
        split: name of the split.
        good: counts the rows that cannot be read.

    Raises:
        DataError: a row is not text, there is no single text feature, or the split is too large.
    """
    import tensorflow_datasets as tfds

    key = _text_feature(source, builder)
    dataset = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    contents = dataset.map(lambda example: example[key]).as_numpy_iterator()
    rows: Iterable[Callable[[], str]] = (
        partial(decode_text, content, f"{source} split {split} row {row}") for row, content in enumerate(contents)
    )
    return _within_memory(source, good.read(rows))


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


def _within_memory(source: str | Path, texts: Iterable[str]) -> list[str]:
    """The texts; raises DataError where they are too many to be read into memory."""
    kept, size = [], 0
    for text in texts:
        size += len(text.encode())
        if size > MAXIMUM_BYTES:
            problem = f"holds more than {MAXIMUM_BYTES:,} bytes of text, the most that is read into memory"
            raise DataError(source, problem, "use a smaller part of it")
        kept.append(text)
    return kept
