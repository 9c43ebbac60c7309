"""Music generation: learns to continue pieces, as a piano roll or note by note.

rnnapps music_generation train --data.source pieces/ --run runs/music_generation/pieces
rnnapps music_generation predict --run runs/music_generation/pieces --primer start.mid --bars 8
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnapps.config import TrainingConfig, require, require_choice, require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.given import MEMORY
from rnnapps.data.given_rows import given_inputs
from rnnapps.errors import ConfigError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.model_config import MusicModelConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.tasks.music_generation.data.music import PieceSplits
    from rnnapps.tasks.music_generation.data.piece import Piece
    from rnnapps.tasks.music_generation.files import GeneratedPiece
    from rnnapps.tasks.music_generation.generation import KeyChange, Sampling
    from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid

__all__ = ["PIPELINE", "Config", "MusicGeneration", "PredictOptions", "Synthesizer"]

Synthesizer = Literal["auto", "additive", "fluidsynth"]


@dataclass(frozen=True)
class Config:
    """A music model.

    Attributes:
        data: where the pieces come from, and how they are represented.
        model: the network.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: MusicDataConfig = field(default_factory=MusicDataConfig)
    model: MusicModelConfig = field(default_factory=MusicModelConfig)
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(carry_state=False, batch_size=16))
    export: MusicExportConfig = field(default_factory=MusicExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


@dataclass(frozen=True)
class PredictOptions:
    """What to write.

    Attributes:
        primer: piece to continue, a MIDI, MusicXML or ABC file; empty begins one.
        primer_bars: bars of the primer to start from; 0 for all.
        bars: bars to add, 1 to 256.
        temperature: 0 always takes the likeliest; higher is more varied. In frames it decides which keys are struck,
            not whether and how many: pieces stay as dense at any temperature above 0.
        top_p: leave out what is unlikely; 1 leaves out nothing. It acts on what temperature acts on.
        seed: the same seed gives the same result.
        samples: number of pieces (predict), 1 to 100.
        tempo_bpm: quarter notes in a minute (predict; a stream tells beats); 0 for the primer's, or 100.
        synthesizer: what makes the sound (predict): additive (ours), fluidsynth, or auto, which is fluidsynth where
            the program and a soundfont are installed.
        soundfont: file of instruments for fluidsynth, .sf2 or .sf3; empty takes the system's.
        output: MIDI file to write (predict); a picture (.png) and the sound (.wav) go beside it; empty writes none.
    """

    primer: str = ""
    primer_bars: int = 0
    bars: int = 8
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    samples: int = 1
    tempo_bpm: float = 0.0
    synthesizer: Synthesizer = "auto"
    soundfont: str = ""
    output: str = "generated.mid"

    def __post_init__(self) -> None:
        """Checks the values."""
        for name, value, low, high in (
            ("bars", self.bars, 1, 256),
            ("samples", self.samples, 1, 100),
            ("primer_bars", self.primer_bars, 0, 10_000),
        ):
            require(name, value, f"from {low} to {high:,}", low <= value <= high)
        require("temperature", self.temperature, "at least 0", 0 <= self.temperature < math.inf)
        require("top_p", self.top_p, "above 0 and at most 1", 0 < self.top_p <= 1)
        tempo, midi = self.tempo_bpm, not self.output or self.output.lower().endswith((".mid", ".midi"))
        require("tempo_bpm", tempo, "0, or from 10 to 1,000", tempo == 0 or 10 <= tempo <= 1000)
        require("seed", self.seed, "a number of 64 bits", -(2**63) <= self.seed < 2**63 - self.samples)
        require("output", repr(self.output), "a file that ends in .mid", midi)
        require_choice("synthesizer", self.synthesizer, Synthesizer)
        sounded = not self.soundfont or self.synthesizer != "additive"
        require("soundfont", repr(self.soundfont), "left out with --synthesizer additive", sounded)
        for name in () if self.output else ("synthesizer", "soundfont"):
            asked = getattr(self, name)
            require(
                name, repr(asked), "left out without an output, beside which sound is written", asked in ("", "auto")
            )


class MusicGeneration(Pipeline[Config, "PieceSplits", "MusicGrid"]):
    """The beginning of a piece in, its continuation out."""

    name: ClassVar[str] = "music_generation"
    summary: ClassVar[str] = "Continues pieces of music in the style of those it was trained on, as MIDI."
    config_class = Config
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Continuing or scoring pieces of the kind and grid the model was trained on."
    predict_only: ClassVar[frozenset[str]] = frozenset({"samples", "tempo_bpm", "output", "synthesizer", "soundfont"})
    limitations: ClassVar[tuple[str, ...]] = (
        "It plans no form: phrases make sense locally, but a piece as a whole goes nowhere.",
        "Everything lies on its grid: no expressive timing, and nothing shorter than a grid step.",
        "It may repeat passages of its training pieces; check before publishing what it writes.",
    )
    higher_is_better: ClassVar[frozenset[str]] = frozenset(("frame_accuracy", "next_note_accuracy"))
    python_defaults: ClassVar[dict[str, str]] = {"output": ""}
    settings_before: ClassVar[Mapping[str, Any]] = {"model.echo_steps": 0}

    def without_effect(self, config: Config) -> Mapping[str, str]:
        """Adds what only the network of the other representation reads."""
        frames = config.data.representation == "frames"
        of_events = ("model.embedding_units", "model.embedding_dropout", "model.tie_weights")
        names = of_events if frames else ("model.key_units", "model.echo_steps")
        why = f"data.representation {config.data.representation} has no use for it"
        return {**super().without_effect(config), **dict.fromkeys(names, why)}

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.music_generation.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: object = None) -> PieceSplits:
        """Reads the pieces and splits them.

        From Python: a list of pieces, each a file, the bytes of a MIDI file, notes `(notes, 4)` on the grid, or a
        `mido.MidiFile`.
        """
        from rnnapps.tasks.music_generation.data.music import read_piece_splits

        return read_piece_splits(config.data, given)

    def look(self, config: Config, given: Any = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.music_generation.data_report import look_at_pieces

        return look_at_pieces(config.data, given)

    def fit_preprocessor(self, config: Config, splits: PieceSplits) -> MusicGrid:
        """The grid, and the keys between the lowest and the highest of the training pieces."""
        from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid

        return MusicGrid.of(config.data).within(splits.train, transpose=config.data.transpose_semitones)

    def load_preprocessor(self, folder: Path) -> MusicGrid:
        """The grid a run or an export was made with."""
        from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid

        return MusicGrid.load(folder)

    def grow_preprocessor(self, config: Config, preprocessor: MusicGrid, splits: PieceSplits) -> MusicGrid:
        """The same grid, which new data must ask for, with their keys too."""
        preprocessor.require_same(config.data)
        return preprocessor.joined(self.fit_preprocessor(config, splits))

    def build_model(self, config: Config, preprocessor: MusicGrid) -> keras.Model:
        """Recurrent stack and a distribution over the keys of a frame, or a token network."""
        from rnnapps.layers.token_network import token_network
        from rnnapps.tasks.music_generation.data.piece import KEYS
        from rnnapps.tasks.music_generation.frame_network import frame_network

        if preprocessor.representation == "events":
            return token_network(config.model, preprocessor.tokens)
        sizes = {"hidden_units": config.model.key_units, "echo_steps": config.model.echo_steps}
        return frame_network(config.model, KEYS, **sizes)

    def join(self, fitted: Sequence[Fitted[Config, MusicGrid]]) -> keras.Model:
        """The mean of the members' probabilities of the next event."""
        from rnnapps.layers.side_by_side import mean_of_probabilities, side_by_side

        if fitted[0].config.data.representation == "frames":
            problem = "the keys of a frame are drawn one by one from a single network"
            raise ConfigError(f"ensembles need data.representation events: {problem}")
        return side_by_side([own.network for own in fitted], {"logits": mean_of_probabilities})

    def objective(self, fitted: Fitted[Config, MusicGrid], splits: PieceSplits) -> Objective:
        """Mean nats per grid step, summed over the keys, or per event."""
        from rnnapps.tasks.music_generation.objective import music_objective

        return music_objective(
            fitted.network,
            fitted.preprocessor,
            splits,
            fitted.config.training,
            transpose=fitted.config.data.transpose_semitones,
            seed=fitted.config.seed,
        )

    def evaluate(self, fitted: Fitted[Config, MusicGrid], splits: PieceSplits) -> Evaluation:
        """Likelihood and accuracy on test pieces beside baselines, and what generated pieces are like."""
        from rnnapps.tasks.music_generation.evaluation import evaluate_music

        return evaluate_music(fitted.network, fitted.preprocessor, splits)

    def endpoints(self, fitted: Fitted[Config, MusicGrid]) -> dict[str, Endpoint]:
        """`serving_default` continues MIDI files, `continuation` arrays; `tensors` scores, `step` takes states."""
        from rnnapps.tasks.music_generation.endpoints import music_endpoints

        return music_endpoints(fitted.network, fitted.preprocessor, fitted.config.export)

    def is_one_input(self, given: object) -> bool:
        """Nothing to begin with is one input too."""
        return given is None or super().is_one_input(given)

    def predict(
        self, fitted: Fitted[Config, MusicGrid], options: PredictOptions, given: Any = None
    ) -> list[GeneratedPiece]:
        """Writes pieces, and their MIDI, picture and sound into files where `output` names one.

        From Python: primers, in the forms of `examples`, or pieces that a model has written.
        """
        from rnnapps.tasks.music_generation.files import SILENT, GeneratedPiece, choose_synthesizer
        from rnnapps.tasks.music_generation.generation import write_pieces

        if options.output:
            choose_synthesizer(options.synthesizer, options.soundfont)  # says before the work what is not installed
        grid, pieces = fitted.preprocessor, []
        for place, item in given_inputs(given, one=self.is_one_input(given)):
            primer = _primer(grid, options, item, place)
            written = write_pieces(fitted.network, grid, primer, _sampling(grid, primer, options))
            pieces += [GeneratedPiece(piece, grid, primer.steps) for piece in written]
        silent = sum(piece.is_silent for piece in pieces)
        if silent:
            print(f"{silent} of {len(pieces)} pieces: {SILENT}", file=sys.stderr)
        return _saved(pieces, options) if options.output else pieces

    def stream(
        self, fitted: Fitted[Config, MusicGrid], options: PredictOptions, given: Any = None
    ) -> Iterator[KeyChange]:
        """Each step at which keys are struck or released, as soon as it is drawn."""
        from rnnapps.tasks.music_generation.files import SILENT
        from rnnapps.tasks.music_generation.generation import stream_changes

        grid, struck = fitted.preprocessor, False
        primer = _primer(grid, options, given)
        for change in stream_changes(fitted.network, grid, primer, _sampling(grid, primer, options)):
            struck = struck or bool(change.note_on)
            yield change
        if not struck:
            print(f"stream: {SILENT}", file=sys.stderr)

    def continue_stream(
        self, fitted: Fitted[Config, MusicGrid], options: PredictOptions, memory: StreamMemory, given: Any = None
    ) -> Iterator[KeyChange]:
        """The piece drawn again, without the changes that were given out before."""
        yield from memory.after_given(self.stream(fitted, options, given))

    def report_sections(
        self, fitted: Fitted[Config, MusicGrid], splits: PieceSplits, samples: Sequence[str]
    ) -> Sequence[Section]:
        """Piano rolls and sounds of generated pieces, and their figures beside those of validation pieces."""
        from rnnapps.tasks.music_generation.report import music_sections

        return music_sections(fitted.network, fitted.preprocessor, splits.validation)


def _primer(grid: MusicGrid, options: PredictOptions, given: Any, place: str = f"{MEMORY}: input") -> Piece:
    """What to start from, at the tempo that was asked for."""
    import numpy as np

    from rnnapps.tasks.music_generation.data.music import given_piece
    from rnnapps.tasks.music_generation.data.piece import Piece
    from rnnapps.tasks.music_generation.data.remarks import tell_remarks

    start = options.primer or None if given is None else given
    piece = Piece(np.zeros((0, 4), np.int32), tempo_bpm=100.0)
    if start is None and options.primer_bars:
        raise ConfigError("primer_bars cuts a primer, and there is none; leave it out, or give a primer")
    if start is not None:
        piece = given_piece(start, place, grid.settings())
        tell_remarks([piece], place)
        if options.primer_bars:
            piece = piece.beginning(piece.bar_line(options.primer_bars, grid.steps_per_beat))
    if options.tempo_bpm:
        piece = dataclasses.replace(piece, tempo_bpm=options.tempo_bpm, tempo_changes=())
    return piece


def _saved(pieces: Sequence[GeneratedPiece], options: PredictOptions) -> list[GeneratedPiece]:
    """The pieces with their files; several are numbered."""
    target = Path(options.output)
    several = [target.with_stem(f"{target.stem}_{number}") for number in range(1, len(pieces) + 1)]
    return [
        piece.save(path, synthesizer=options.synthesizer, soundfont=options.soundfont)
        for piece, path in zip(pieces, several if len(pieces) > 1 else [target], strict=True)
    ]


def _sampling(grid: MusicGrid, primer: Piece, options: PredictOptions) -> Sampling:
    from rnnapps.tasks.music_generation.generation import Sampling

    return Sampling(
        steps=max(1, round(options.bars * primer.last_beats_per_bar * grid.steps_per_beat)),
        samples=options.samples,
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
    )


PIPELINE = MusicGeneration()
