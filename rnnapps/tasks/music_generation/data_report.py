"""What was understood of pieces of music: their grid, bars, keys and split, and what usually ruins a model of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from rnnapps.contract.data_report import AS_IT_IS, Caution, DataReport, Example, Part
from rnnapps.contract.sections import Block, Sound, Value
from rnnapps.data.look.repeats import repeats
from rnnapps.data.look.spreads import counted, spread
from rnnapps.printable import name_list
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.music import read_piece_splits
from rnnapps.tasks.music_generation.data.piece import Piece

__all__ = ["look_at_pieces"]

FEW_NOTES = 20_000
SPARSE = 0.05
"""Share of the steps with a note below which a piece is nearly empty."""

COARSE = 0.05
EXAMPLES = 3
SHOWN_STEPS = 32
"""Grid steps times steps a beat that are drawn: eight bars of four quarters."""

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def look_at_pieces(data: MusicDataConfig, given: object = None) -> DataReport:
    """Describes pieces of music; raises DataError as `read_piece_splits` does."""
    splits = read_piece_splits(data, given)
    parts = splits.named()
    every = [piece for own in parts.values() for piece in own]
    repeated, copied = repeats(
        {name: [(piece.notes.tobytes(), piece.name) for piece in own] for name, own in parts.items()},
        "pieces",
        remedy="scores on them are of pieces that were learned by heart: leave the copies out",
    )
    beats = spread("quarter notes of a piece", [piece.steps / data.steps_per_beat for piece in every])
    tempos = spread("quarter notes a minute, at the beginning", [piece.tempo_bpm for piece in every])
    bars = counted("quarter notes in a bar", [f"{piece.beats_per_bar:g}" for piece in every])
    pitches = counted("pitch classes", [_NAMES[pitch % 12] for piece in every for pitch in piece.notes[:, 2].tolist()])
    return DataReport(
        splits.source,
        facts=_facts(data, every),
        parts=[_part(name, own, data, dealt=name in splits.dealt) for name, own in parts.items()],
        listings=[repeated] if repeated else [],
        histograms=[histogram for histogram in (beats, tempos) if histogram],
        counts=[bars, pitches],
        skipped=splits.skipped,
        cautions=[*copied, *_cautions(every)],
        examples=[_example(piece, data) for piece in splits.train[:EXAMPLES]],
        costs={"memory of the notes, MB": round(sum(piece.notes.nbytes for piece in every) / 2**20, 3)},
    )


def _facts(config: MusicDataConfig, every: Sequence[Piece]) -> dict[str, Value]:
    """What is known of the source as a whole."""
    pitches = np.concatenate([piece.notes[:, 2] for piece in every])
    return {
        "pieces": len(every),
        "notes": len(pitches),
        "grid, steps of a quarter note": config.steps_per_beat,
        "lowest and highest key (MIDI)": f"{pitches.min()} to {pitches.max()}",
        "pieces with remarks": sum(bool(piece.remarks) for piece in every),
    }


def _part(name: str, own: Sequence[Piece], config: MusicDataConfig, *, dealt: bool) -> Part:
    """The size of a part, and why it is that."""
    sizes = {"pieces": len(own), "notes": sum(len(piece.notes) for piece in own)}
    if name == "test" and config.test is not None:
        return Part(name, sizes, f"all of {config.test}")
    share = 100 * getattr(config, f"{name}_fraction", 0)
    return Part(name, sizes, f"{share:.0f} % of the pieces, at random" if dealt else AS_IT_IS)


def _cautions(every: Sequence[Piece]) -> list[Caution]:
    """What usually ruins a model of music."""
    cautions = []
    notes = sum(len(piece.notes) for piece in every)
    if notes < FEW_NOTES:
        told = f"{notes:,} notes in all; below {FEW_NOTES:,} a model soon knows them by heart"
        cautions.append(Caution(told, "give more pieces, or fine-tune a trained model: rnnapps models"))
    empty = [piece.name for piece in every if _sounding(piece) < SPARSE]
    if empty:
        told = f"{len(empty)} pieces are nearly all silence: {name_list(empty, 3)}"
        cautions.append(Caution(told, "cut or leave them out"))
    merged = [piece for piece in every if any("fall together" in remark for remark in piece.remarks)]
    if len(merged) > COARSE * len(every):
        told = f"in {len(merged)} of {len(every)} pieces notes fall together: the grid is too coarse for them"
        cautions.append(Caution(told, "raise --data.steps_per_beat, to 12 for triplets"))
    return cautions


def _sounding(piece: Piece) -> float:
    """Share of the steps of a piece in which something sounds."""
    change = np.zeros(piece.steps + 1, np.int64)
    np.add.at(change, piece.notes[:, 0], 1)
    np.add.at(change, piece.notes[:, 1], -1)
    return float((np.cumsum(change)[:-1] > 0).mean())


def _example(piece: Piece, config: MusicDataConfig) -> Example:
    """A piece in words, and as a piano roll with its sound."""
    told = f"{len(piece.notes):,} notes, {piece.tempo_bpm:g} quarter notes a minute, {piece.beats_per_bar:g} in a bar"
    return Example(piece.name or "a piece", told, partial(_seen_and_heard, piece, config))


def _seen_and_heard(piece: Piece, config: MusicDataConfig) -> Sequence[Block]:
    """The beginning of a piece."""
    from rnnapps.tasks.music_generation.piano_roll import plot_piano_roll
    from rnnapps.tasks.music_generation.synthesis import render_wav

    beginning = piece.beginning(SHOWN_STEPS * config.steps_per_beat)
    plot = plot_piano_roll(beginning, steps_per_beat=config.steps_per_beat, title=piece.name)
    return [plot.picture(), Sound(render_wav(beginning, steps_per_beat=config.steps_per_beat), piece.name)]
