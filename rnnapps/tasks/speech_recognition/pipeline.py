"""Speech recognition: learns to write down what is said in recordings.

rnnapps speech_recognition train --data.source recordings.csv --run runs/speech_recognition/mine
rnnapps speech_recognition predict --run runs/speech_recognition/mine --file meeting.wav
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.config import ExportConfig, require, require_seed
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig, SpeechModelConfig, SpeechTrainingConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits
    from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures

__all__ = ["PIPELINE", "Config", "PredictOptions", "SpeechRecognition"]


@dataclass(frozen=True)
class Config:
    """A speech recogniser.

    Attributes:
        data: where recordings and transcripts come from.
        model: the network.
        training: how it is trained.
        decoding: how its outputs become transcripts, in `evaluate`, `predict` and an export.
        export: what an export contains.
        seed: number that decides everything random.
    """

    data: SpeechDataConfig = field(default_factory=SpeechDataConfig)
    model: SpeechModelConfig = field(default_factory=SpeechModelConfig)
    training: SpeechTrainingConfig = field(default_factory=SpeechTrainingConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


@dataclass(frozen=True)
class PredictOptions:
    """What to transcribe; streams are always decoded greedily.

    Attributes:
        file: a recording (.wav, .flac, .ogg or .mp3), or a folder of them; `-` streams raw sound from standard input:
            16 bit, little endian, one channel, at the model's sample rate.
        microphone: stream from the microphone; needs the package sounddevice.
        chunk_ms: stream only: milliseconds of sound that are read at once.
    """

    file: str = ""
    microphone: bool = False
    chunk_ms: float = 100.0

    def __post_init__(self) -> None:
        """Checks the values."""
        if bool(self.file) == self.microphone:
            raise ConfigError("give either --file, a recording, or --microphone true")
        require("chunk_ms", self.chunk_ms, "from 1 to 10,000", 1 <= self.chunk_ms <= 10_000)


class SpeechRecognition(Pipeline[Config, "UtteranceSplits", "SpeechFeatures"]):
    """A recording in, its transcript out."""

    name: ClassVar[str] = "speech_recognition"
    summary: ClassVar[str] = "Writes down what is said in recordings, with confidence and the time of every word."
    config_class = Config
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Transcribing recordings of the language, vocabulary and kind it was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It knows the words, voices, microphones and rooms of its training data; on others it errs more often.",
        "It always writes something it has learned to write, also for speech in another language.",
        "Times of words are those at which the network is sure of them, up to some tenths of a second off.",
    )
    evaluation_switches: ClassVar[dict[str, str]] = {
        "tune": "first choose weight and bonus of an n-gram language model on the validation split"
    }

    def examples(self, config: Config) -> UtteranceSplits:
        """Reads the recordings and splits them."""
        from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits

        return read_utterance_splits(config.data)

    def fit_preprocessor(self, config: Config, splits: UtteranceSplits) -> SpeechFeatures:
        """Mean and deviation of the training spectra; the symbols of the training transcripts, and their n-grams."""
        from rnnapps.tasks.speech_recognition.evaluation import count_symbols
        from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures

        train = splits.train
        return count_symbols(SpeechFeatures.fit(train, config.data, config.model), train, config.data)

    def load_preprocessor(self, folder: Path) -> SpeechFeatures:
        """The front end a run or an export was made with."""
        from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures

        return SpeechFeatures.load(folder)

    def grow_preprocessor(
        self, config: Config, preprocessor: SpeechFeatures, splits: UtteranceSplits
    ) -> SpeechFeatures:
        """The same front end, with the new symbols and the n-grams of the training transcripts."""
        from rnnapps.tasks.speech_recognition.evaluation import count_symbols

        train = splits.train
        return count_symbols(preprocessor.grow(train, config.data, config.model), train, config.data)

    def vocabulary_changes(
        self, network: keras.Model, old: SpeechFeatures, new: SpeechFeatures
    ) -> list[VocabularyChange]:
        """Symbols keep their rows by name; id 0 is the blank of both."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.tasks.speech_recognition.network import symbol_axes

        before, after = (["blank", *features.alphabet.symbols] for features in (old, new))
        return [VocabularyChange(before, after, symbol_axes(network))]

    def build_model(self, config: Config, preprocessor: SpeechFeatures) -> keras.Model:
        """Convolutions, recurrent stack, softmax over the symbols."""
        from rnnapps.tasks.speech_recognition.network import speech_network

        model = config.model
        return speech_network(
            model,
            mels=preprocessor.log_mel.mels,
            symbols=preprocessor.alphabet.size,
            strides=model.strides,
            convolution_units=model.convolution_units,
            kernel_frames=model.kernel_frames,
        )

    def objective(self, fitted: Fitted[Config, SpeechFeatures], splits: UtteranceSplits) -> Objective:
        """Mean nats per symbol of the transcripts, summed over their alignments (CTC)."""
        from rnnapps.tasks.speech_recognition.objective import speech_objective
        from rnnapps.tasks.speech_recognition.transcription import Transcriber

        # complains of its language model before the training
        Transcriber(fitted.network, fitted.preprocessor, fitted.config.decoding)
        return speech_objective(
            fitted.network,
            fitted.preprocessor,
            splits,
            data=fitted.config.data,
            training=fitted.config.training,
            seed=fitted.config.seed,
        )

    def evaluate(
        self, fitted: Fitted[Config, SpeechFeatures], splits: UtteranceSplits, *, tune: bool = False
    ) -> Evaluation:
        """Word and character error rates on the test split, beside the most frequent transcript."""
        from rnnapps.tasks.speech_recognition.evaluation import evaluate_speech

        return evaluate_speech(
            fitted.network,
            fitted.preprocessor,
            splits,
            data=fitted.config.data,
            decoding=fitted.config.decoding,
            tune=tune,
        )

    def endpoints(self, fitted: Fitted[Config, SpeechFeatures]) -> dict[str, Endpoint]:
        """`serving_default` transcribes WAV files, `tensors` waveforms, `step` goes on from states."""
        from rnnapps.tasks.speech_recognition.endpoints import speech_endpoints

        return speech_endpoints(
            fitted.network, fitted.preprocessor, fitted.config.decoding, streams=fitted.config.model.streams
        )

    def predict(self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions) -> list[Any]:
        """A transcript with confidence and times for each recording."""
        from rnnapps.tasks.speech_recognition.prediction import transcribe_files

        return transcribe_files(fitted.network, fitted.preprocessor, options.file, fitted.config.decoding)

    def stream(self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions) -> Iterator[str]:
        """Words as soon as they are complete."""
        from rnnapps.tasks.speech_recognition.prediction import stream_words

        yield from stream_words(
            fitted.network, fitted.preprocessor, "" if options.microphone else options.file, chunk_ms=options.chunk_ms
        )

    def report_sections(
        self,
        fitted: Fitted[Config, SpeechFeatures],
        splits: UtteranceSplits,
        samples: Sequence[str],
    ) -> Sequence[Section]:
        """Spectrograms with aligned transcripts, and which words are taken for which."""
        from rnnapps.tasks.speech_recognition.report import speech_sections

        return speech_sections(
            fitted.network, fitted.preprocessor, splits, data=fitted.config.data, decoding=fitted.config.decoding
        )


PIPELINE = SpeechRecognition()
