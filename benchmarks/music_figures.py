"""Is what a music model writes like real pieces? Figures of both, at several temperatures and top-p.

python -m benchmarks.music_figures runs/music_generation/chorales
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence

import numpy as np

import rnnapps
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.evaluation import excerpts
from rnnapps.tasks.music_generation.generation import Sampling, write_pieces
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.pipeline import PIPELINE

__all__ = ["figures", "main"]

TOLD = {
    "notes_per_bar": "notes a bar",
    "notes_at_once": "notes at once",
    "share_in_key": "in key",
    "longest_repetition_beats": "repeated beats",
    "silent_pieces": "silent pieces",
    "silent_steps": "silent steps",
}
COMPARED = tuple(TOLD)[:4]
BEATS_PER_BAR = 4


def figures(pieces: Sequence[Piece], *, beats: int, steps_per_beat: int) -> dict[str, float]:
    """Means over pieces, silent ones too, that were asked to last so many beats: those that `TOLD` names.

    Args:
        pieces: what was written, or excerpts of real pieces.
        beats: how long each is, with what is silent at its end.
        steps_per_beat: grid steps in a quarter note.
    """
    steps = beats * steps_per_beat
    sounding = [np.zeros(steps, bool) for _ in pieces]
    for piece, row in zip(pieces, sounding, strict=True):
        for start, end, *_ in piece.notes:
            row[start:end] = True
    own = music_diagnostics(pieces, steps_per_beat=steps_per_beat)
    return {
        "notes_per_bar": float(np.mean([len(piece.notes) for piece in pieces])) * BEATS_PER_BAR / beats,
        **{name: own.get(name, 0.0) for name in COMPARED[1:]},
        "silent_pieces": float(np.mean([not len(piece.notes) for piece in pieces])),
        "silent_steps": float(1 - np.mean(sounding)),
    }


def _line(name: str, found: Mapping[str, float], real: Mapping[str, float]) -> str:
    """A row of the table; in brackets the share of the real pieces' figure."""
    cells = [f"{found[key]:.2f} ({found[key] / real[key]:.2f})" for key in COMPARED]
    cells += [f"{found[key]:.2f}" for key in TOLD if key not in COMPARED]
    return "".join((f"{name:<28}", *(f"{cell:>15}" for cell in cells)))


def main() -> int:
    """Prints a line for real pieces and one for each way to draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", help="run or export of music_generation")
    parser.add_argument("--beats", type=int, default=32, help="how long pieces are")
    parser.add_argument("--samples", type=int, default=32, help="how many are written with each")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0, 0.9, 0.8], help="temperatures")
    parser.add_argument("--top_p", type=float, nargs="+", default=[1.0, 0.95, 0.9], help="top-p")
    parser.add_argument("--primer_beats", type=int, default=0, help="begin with so much of the first test piece")
    options = parser.parse_args()
    model = rnnapps.load(options.run)
    grid, test = model.preprocessor, PIPELINE.examples(model.config).test
    shape = {"beats": options.beats, "steps_per_beat": grid.steps_per_beat}
    real = figures(excerpts(test, options.beats * grid.steps_per_beat), **shape)
    print("".join((f"{'':<28}", *(f"{name:>15}" for name in TOLD.values()))))
    print(_line("test pieces", real, real), flush=True)
    primer = excerpts(test, options.primer_beats * grid.steps_per_beat)[0]
    steps = options.beats * grid.steps_per_beat - primer.steps
    for temperature, top_p in itertools.product(options.temperatures, options.top_p):
        sampling = Sampling(steps, options.samples, temperature=temperature, top_p=top_p, seed=1)
        written = write_pieces(model.network, grid, primer, sampling)
        print(_line(f"temperature {temperature:g}, top_p {top_p:g}", figures(written, **shape), real), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
