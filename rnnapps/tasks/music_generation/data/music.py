"""Pieces of music from built-in chorales, files, folders, data sets and Python, split piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.converters import converted, converter_suffixes
from rnnapps.data.given import MEMORY, given_splits
from rnnapps.data.item_splits import ItemSplits
from rnnapps.data.part_names import part_folders, parts_of
from rnnapps.data.sources import is_tfds, list_files, read_bytes, tfds_builder
from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.given import GivenPiece, parse_given
from rnnapps.tasks.music_generation.data.midi import MAXIMUM_BYTES, parse_midi
from rnnapps.tasks.music_generation.data.midi_kinds import ordinary_midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.data.remarks import tell_remarks
from rnnapps.tasks.music_generation.data.scores import SCORE_SUFFIXES, builtin_chorales, parse_score
from rnnapps.tasks.music_generation.data.tunes import COLLECTIONS, PieceFile, piece_files, tunes_of

__all__ = ["MIDI_SUFFIXES", "PieceSplits", "given_piece", "read_piece", "read_piece_splits"]

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

BUILTIN = "builtin"
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")
HELD_OUT = ("validation", "test")

Item = TypeVar("Item")


PieceSplits = ItemSplits[Piece]


def read_piece_splits(config: MusicDataConfig, given: object = None) -> PieceSplits:
    """Reads the source and splits it.

    Args:
        config: the source, and how it is split.
        given: pieces from Python instead of the source: a list of what `given_piece` takes, or one for each split.

    Raises:
        DataError: a source is missing, a file is damaged, or there are too few pieces to split.
    """
    many = given is None and (is_tfds(config.source) or unpacked_source(config.source).is_dir())
    good = GoodExamples(config.source, config, noun="pieces", many=many)
    parts, dealt = _parts(config, good) if given is None else _given_parts(given, config, good)
    if config.test is not None:
        parts["test"] = _read(_files(unpacked_source(config.test)), config, good)
    skipped = good.finish()
    tell_remarks([piece for pieces in parts.values() for piece in pieces], config.source)
    for name, pieces in parts.items():
        if not any(piece.steps > 1 for piece in pieces):
            problem = f"has no piece of two grid steps or more for the {name} split"
            raise DataError(config.source, problem, "give more pieces")
    return ItemSplits(
        **{name: tuple(piece for piece in pieces if piece.steps > 1) for name, pieces in parts.items()},
        source="Bach chorales of music21's corpus" if config.source == BUILTIN else config.source,
        skipped=skipped,
        dealt=tuple(dealt),
    )


def read_piece(path: str | Path | PieceFile, config: MusicDataConfig) -> Piece:
    """Reads one file of any known kind, or a tune of a collection.

    Raises:
        DataError: it is missing, damaged or of another kind, or a collection of which no tune is named.
    """
    piece = path if isinstance(path, PieceFile) else PieceFile(Path(path))
    piece = replace(piece, path=converted(piece.path, "music"))
    suffix = plain_suffix(piece.path)
    if suffix not in (*MIDI_SUFFIXES, *SCORE_SUFFIXES):
        known = ", ".join((*MIDI_SUFFIXES, *SCORE_SUFFIXES))
        raise DataError(piece.path, f"ends in {suffix or 'nothing'}; pieces end in {known}", "convert it to MIDI")
    if suffix in MIDI_SUFFIXES:
        return _of_midi(read_bytes(piece.path, maximum_bytes=MAXIMUM_BYTES), piece.path, config)
    if suffix not in COLLECTIONS:
        content = read_bytes(piece.path, maximum_bytes=MAXIMUM_BYTES)
        return parse_score(content, piece.path, steps_per_beat=config.steps_per_beat)
    several = tunes_of(piece.path)
    if len(several) > 1 and not piece.tune:
        raise DataError(piece.path, f"is a collection of {len(several):,} tunes", "give a file with the one you mean")
    tune = several[max(piece.tune, 1) - 1]
    if len(tune) > MAXIMUM_BYTES:
        raise DataError(str(piece), f"has {len(tune):,} bytes; at most {MAXIMUM_BYTES:,} are read", "split it")
    found = parse_score(tune, str(piece), suffix=suffix, steps_per_beat=config.steps_per_beat)
    return replace(found, name=f"{piece.path.stem} {piece.tune}" if piece.tune else piece.path.stem)


def _of_midi(content: bytes, name: str | Path, config: MusicDataConfig) -> Piece:
    """A piece of a MIDI file of any kind."""
    ordinary = ordinary_midi(content, name)
    return parse_midi(ordinary, name, steps_per_beat=config.steps_per_beat, percussion=config.percussion)


def given_piece(given: GivenPiece, place: str, config: MusicDataConfig) -> Piece:
    """Reads one piece from Python.

    Args:
        given: a file of any known kind, or what `parse_given` takes.
        place: what to call it in errors where it is no file.
        config: the grid.

    Raises:
        DataError: it is missing, damaged or of another kind.
    """
    return read_piece(given, config) if isinstance(given, str | Path) else parse_given(given, place, config)


def _given_parts(
    given: object, config: MusicDataConfig, good: GoodExamples
) -> tuple[dict[str, list[Piece]], Sequence[str]]:
    """The pieces from Python of each part, and the parts that are missing, dealt from the training pieces."""
    named: dict[str, list[tuple[str, Any]]] = {}
    for part, pieces in given_splits(given).items():
        if isinstance(pieces, str | bytes | Mapping) or not isinstance(pieces, Iterable) or hasattr(pieces, "columns"):
            problem = f"{part} is of type {type(pieces).__name__}"
            raise DataError(MEMORY, problem, "give a list of pieces: paths, MIDI bytes, notes or mido.MidiFile")
        named[part] = [(f"{MEMORY}: {part}[{index}]", piece) for index, piece in enumerate(pieces)]
    missing = [name for name in HELD_OUT if name not in named]
    if missing:
        named |= _dealt(named["train"], config, _file_name, missing=missing)
    read = {
        part: list(good.read(partial(given_piece, piece, place, config) for place, piece in pairs))
        for part, pairs in named.items()
    }
    return read, missing


def _file_name(named: tuple[str, GivenPiece]) -> str:
    """What decides on a piece's part: the name of its file, or else its place."""
    place, piece = named
    return Path(piece).name if isinstance(piece, str | Path) else place


def _parts(config: MusicDataConfig, good: GoodExamples) -> tuple[dict[str, list[Piece]], Sequence[str]]:
    """The pieces of each part, and the parts that were dealt out, which the source has not."""
    if config.source == BUILTIN:
        return _dealt(builtin_chorales(config.steps_per_beat), config, lambda piece: piece.name), HELD_OUT
    if is_tfds(config.source):
        return _tfds_parts(config, good)
    root = unpacked_source(config.source)
    folders = part_folders(root, (*MIDI_SUFFIXES, *SCORE_SUFFIXES)) if root.is_dir() else {}
    paths = {name: _files(folder) for name, folder in folders.items()} or {"train": _files(root)}
    if config.test is not None:
        paths["test"] = []  # read from elsewhere
    missing = [name for name in HELD_OUT if name not in paths]
    if missing:
        paths |= _dealt(paths["train"], config, lambda piece: piece.name, missing=missing)
    return {name: _read(part, config, good) for name, part in paths.items()}, missing


def _dealt(
    items: Sequence[Item], config: MusicDataConfig, key: Callable[[Item], str], *, missing: Sequence[str] = HELD_OUT
) -> dict[str, list[Item]]:
    """Deals whole pieces out to the missing parts, in an order that depends on their names and number only."""
    if len(items) <= len(missing):
        problem = f"holds {len(items)} pieces; a split needs {len(missing) + 1} at least"
        raise DataError(config.source, problem, "give more pieces")
    ordered = sorted(items, key=key)
    ordered = [ordered[number] for number in np.random.default_rng(0).permutation(len(ordered))]
    shares = {"validation": config.validation_fraction, "test": config.test_fraction}
    parts: dict[str, list[Item]] = {}
    for name in missing:
        count = max(1, round(len(items) * shares[name]))
        parts[name], ordered = ordered[:count], ordered[count:]
    return {"train": ordered, **parts}


def _files(root: Path) -> list[PieceFile]:
    """The pieces of a folder, or of the one file."""
    if not root.is_dir():
        return piece_files([root])
    paths = list_files(root, (*MIDI_SUFFIXES, *SCORE_SUFFIXES, *converter_suffixes("music")))
    if not paths:
        known = ", ".join((*MIDI_SUFFIXES, *SCORE_SUFFIXES))
        raise DataError(root, "holds no piece of music", f"put files there that end in {known}")
    return piece_files(paths)


def _read(paths: Sequence[PieceFile], config: MusicDataConfig, good: GoodExamples) -> list[Piece]:
    return list(good.read(partial(read_piece, path, config) for path in paths))


def _tfds_parts(config: MusicDataConfig, good: GoodExamples) -> tuple[dict[str, list[Piece]], Sequence[str]]:
    """The splits of a data set; dealt anew where one of the three is missing."""
    builder = tfds_builder(config.source)
    if "midi" not in builder.info.features:
        problem = f"has no feature named midi; its features are {', '.join(builder.info.features)}"
        raise DataError(config.source, problem, "use a data set of MIDI files, such as tfds:groove/full-midionly")
    splits = parts_of(builder.info.splits, config.source)
    if "train" not in splits:
        problem = f"has no split train but {', '.join(builder.info.splits) or 'none at all'}"
        raise DataError(config.source, problem, "use another data set")
    parts = {part: _tfds_pieces(builder, split, config, good) for part, (split,) in splits.items()}
    missing = [name for name in HELD_OUT if name not in parts]
    dealt = _dealt(parts["train"], config, lambda piece: piece.name, missing=missing) if missing else {}
    return parts | dealt, missing


def _tfds_pieces(
    builder: tfds.core.DatasetBuilder, split: str, config: MusicDataConfig, good: GoodExamples
) -> list[Piece]:
    """The pieces of one split, in the order of its rows."""
    import tensorflow_datasets as tfds

    rows = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    contents = rows.map(lambda example: example["midi"]).as_numpy_iterator()
    pieces = (
        partial(_of_midi, content, f"{config.source} split {split} row {row}", config)
        for row, content in enumerate(contents)
    )
    return list(good.read(pieces))
