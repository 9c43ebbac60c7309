"""Speech recognition: learns to write down what is said in recordings.

rnnapps speech_recognition train --data.source recordings.csv --run runs/speech_recognition/mine
rnnapps speech_recognition predict --run runs/speech_recognition/mine --file meeting.wav
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.config import require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.given import given_file
from rnnapps.data.given_rows import given_inputs, has_rate
from rnnapps.data.large_data import LARGE_DATA_SETTINGS
from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.export_config import SpeechExportConfig
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig, SpeechModelConfig, SpeechTrainingConfig
from rnnapps.tasks.speech_recognition.predict_options import ONE_INPUT, PredictOptions
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig, segment_seconds

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.bad_examples import BadExample
    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits
    from rnnapps.tasks.speech_recognition.prediction import Transcription
    from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
    from rnnapps.tasks.speech_recognition.utterances import StreamResult

__all__ = ["PIPELINE", "Config", "PredictOptions", "SpeechRecognition"]


@dataclass(frozen=True)
class Config:
    """A speech recogniser.

    Attributes:
        data: where recordings and transcripts come from.
        model: the network.
        training: how it is trained.
        decoding: how its outputs become transcripts, in `evaluate`, `predict` and an export.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: SpeechDataConfig = field(default_factory=SpeechDataConfig)
    model: SpeechModelConfig = field(default_factory=SpeechModelConfig)
    training: SpeechTrainingConfig = field(default_factory=SpeechTrainingConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    export: SpeechExportConfig = field(default_factory=SpeechExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


class SpeechRecognition(Pipeline[Config, "UtteranceSplits", "SpeechFeatures"]):
    """A recording in, its transcript out."""

    name: ClassVar[str] = "speech_recognition"
    summary: ClassVar[str] = "Writes down what is said in recordings, with confidence and the time of every word."
    config_class = Config
    predict_class = PredictOptions
    run_frees: ClassVar[frozenset[str]] = LARGE_DATA_SETTINGS | {"data.test"}
    training_lacks: ClassVar[Mapping[str, str]] = {"window_steps": "recordings are read whole"}
    intended_use: ClassVar[str] = "Transcribing recordings of the language, vocabulary and kind it was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It knows the words, voices, microphones and rooms of its training data; on others it errs more often.",
        "It always writes something it has learned to write, also for speech in another language.",
        "Times of words are those at which the network is sure of them, up to some tenths of a second off.",
    )
    predict_only: ClassVar[frozenset[str]] = frozenset(
        {"decoding", "transcript", "output", "segmentation", "segment_seconds", "pause_seconds"}
    )
    stream_only: ClassVar[frozenset[str]] = frozenset(
        {
            *("microphone", "chunk_ms", "results"),
            *("rule1_min_trailing_silence", "rule2_min_trailing_silence", "rule3_min_utterance_length"),
        }
    )
    evaluation_switches: ClassVar[dict[str, str]] = {
        "tune": "first choose weight and bonus of an n-gram language model on the validation split"
    }

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.speech_recognition.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: object = None) -> UtteranceSplits:
        """Reads the recordings and splits them.

        From Python: (audio, transcript) or (audio, transcript, speaker) for each recording, in a list or a frame; audio
        as in `predict`.
        """
        from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits

        return read_utterance_splits(config.data, given)

    def look(self, config: Config, given: Any = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.speech_recognition.data_report import look_at_recordings

        return look_at_recordings(config.data, given)

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

    def join(self, fitted: Sequence[Fitted[Config, SpeechFeatures]]) -> keras.Model:
        """The mean of the members' probabilities of each output."""
        from rnnapps.layers.side_by_side import first_alone, mean_of_probabilities, require_equal, side_by_side

        require_equal([own.config.model for own in fitted], ("strides", "kernel_frames", "bidirectional"))
        return side_by_side([own.network for own in fitted], {"logits": mean_of_probabilities, "valid": first_alone})

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
            fitted.network,
            fitted.preprocessor,
            fitted.config.decoding,
            fitted.config.export,
            streams=fitted.config.model.streams,
        )

    def is_one_input(self, given: object) -> bool:
        """A pair of samples and their rate is one recording."""
        return has_rate(given) or super().is_one_input(given)

    def predict(
        self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions, given: Any = None
    ) -> Iterable[Transcription | BadExample]:
        """A transcript with confidence and times for each recording.

        From Python: files, the bytes of files, samples (int16 or floats of full scale 1, at the model's rate), or pairs
        of samples and their rate.
        """
        from rnnapps.tasks.speech_recognition.prediction import align, sounds_of, transcribe, written
        from rnnapps.tasks.speech_recognition.transcription import Transcriber

        _require_one_input(options, given)
        one = given is not None and self.is_one_input(given)
        sounds = sounds_of(options.file) if given is None else given_inputs(given, one=one)
        many = given is None and (len(sounds) > 1 or Path(options.file).is_dir())
        transcriber = fitted.once(
            "transcriber", lambda: Transcriber(fitted.network, fitted.preprocessor, fitted.config.decoding)
        )
        several = many or len(sounds) > 1
        if options.transcript:
            keep = fitted.config.data.keep_punctuation
            results = align(transcriber, sounds, options.transcript, keep_punctuation=keep, many=several)
        else:
            longest = options.segment_seconds or segment_seconds(fitted.preprocessor.longest_seconds)
            cut = SegmentationConfig(options.segmentation, longest, options.pause_seconds)
            results = transcribe(transcriber, sounds, cut, many=many, timed=given is None)
        return written(results, options.output, many=several) if options.output else results

    def stream(
        self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions, given: Any = None
    ) -> Iterator[str | StreamResult]:
        """Words as soon as they are complete, and a line feed for each utterance; or results of utterances.

        From Python also of an iterable of pieces of sound.
        """
        return self._heard(fitted, options, StreamMemory(), given)

    def continue_stream(
        self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions, memory: StreamMemory, given: Any = None
    ) -> Iterator[str | StreamResult]:
        """The same of sound that goes on; a file is transcribed again, without what was given out before."""
        from rnnapps.tasks.speech_recognition.chunks import STANDARD_INPUT

        file = given_file(given, "" if options.file == STANDARD_INPUT else options.file)
        return memory.going_on(lambda own: self._heard(fitted, options, own, given), of=file)

    def _heard(
        self, fitted: Fitted[Config, SpeechFeatures], options: PredictOptions, memory: StreamMemory, given: Any
    ) -> Iterator[str | StreamResult]:
        """Words or results of whatever is to be heard."""
        from rnnapps.tasks.speech_recognition.chunks import given_chunks, sound_chunks
        from rnnapps.tasks.speech_recognition.listening import CompiledStep, Listener, listen, stream_words
        from rnnapps.tasks.speech_recognition.utterances import EndpointRules

        _require_one_input(options, given)
        rate = fitted.preprocessor.sample_rate_hz
        size = max(1, round(options.chunk_ms * rate / 1000))
        chunks = (
            sound_chunks(options.file, rate, size, memory=memory) if given is None else given_chunks(given, rate, size)
        )
        rules = EndpointRules(
            options.rule1_min_trailing_silence, options.rule2_min_trailing_silence, options.rule3_min_utterance_length
        )
        step = fitted.once("stream", lambda: CompiledStep(fitted.network, fitted.preprocessor))
        listener = Listener(step, rules, memory=memory)
        listener.build(size)
        if options.results == "words":
            yield from stream_words(listener, chunks, timed=given is None, memory=memory)
        else:
            yield from listen(listener, chunks, partial=options.results == "partial", memory=memory)

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


def _require_one_input(options: PredictOptions, given: object) -> None:
    """Raises ConfigError, unless there is one of file, microphone and input from Python."""
    if given is not None and (options.file or options.microphone):
        raise ConfigError("the input is given twice: as an argument, and as file or microphone")
    if given is None and not options.file and not options.microphone:
        raise ConfigError(ONE_INPUT)


PIPELINE = SpeechRecognition()
