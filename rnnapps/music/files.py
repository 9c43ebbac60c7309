"""Pieces as files that a person can see and hear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnapps.data.midi import write_midi
from rnnapps.data.piece import Piece
from rnnapps.errors import ConfigError
from rnnapps.metrics.music_diagnostics import music_diagnostics
from rnnapps.preprocessing.music_grid import MusicGrid
from rnnapps.reports.plots.piano_roll import plot_piano_roll
from rnnapps.reports.synthesis import render_wav
from rnnapps.training.run import write_atomically

__all__ = ["write_files"]


def write_files(piece: Piece, target: Path, grid: MusicGrid, *, primer_steps: int) -> dict[str, Any]:
    """Writes a piece as MIDI to `target`, and beside it a piano roll (.png) and its sound (.wav).

    Returns:
        The paths by kind, the number of notes, and the figures of `music_diagnostics`.

    Raises:
        ConfigError: a file cannot be written.
    """
    plot = plot_piano_roll(piece, steps_per_beat=grid.steps_per_beat, primer_steps=primer_steps, title=target.stem)
    contents = {
        "midi": (target, write_midi(piece, steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)),
        "picture": (target.with_suffix(".png"), plot.png()),
        "sound": (target.with_suffix(".wav"), render_wav(piece, steps_per_beat=grid.steps_per_beat)),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path, content in contents.values():
            write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}; choose another --output") from error
    figures = {
        name: round(value, 3) for name, value in music_diagnostics([piece], steps_per_beat=grid.steps_per_beat).items()
    }
    return {**{kind: str(path) for kind, (path, _) in contents.items()}, "notes": len(piece.notes), **figures}
