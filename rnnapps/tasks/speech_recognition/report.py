"""A recogniser's part of the report: spectrograms with aligned transcripts, and which words are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from rnnapps.contract.sections import Block, Gallery, Paragraph, Section, Sound, Table
from rnnapps.reports.plots.confusion import plot_confusion
from rnnapps.reports.plots.plot import Plot
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, wav_bytes
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.recordings import held_out_strings
from rnnapps.tasks.speech_recognition.spectrogram import plot_spectrogram
from rnnapps.tasks.speech_recognition.transcription import Transcriber, Transcript
from rnnapps.tasks.speech_recognition.word_errors import confused_words

__all__ = ["speech_sections"]

MOST_UTTERANCES, SHOWN, MOST_WORDS, MOST_PAIRS = 200, 3, 14, 12
_ALIGNED_NOTE = (
    "Validation recordings. Bars show the outputs at which the network was sure of a word's symbols, which is later "
    "and shorter than the word itself, most of all where it only reads forwards."
)


def speech_sections(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    *,
    data: SpeechDataConfig,
    decoding: DecodingConfig,
) -> list[Section]:
    """Three validation recordings, and the confusions of up to two hundred."""
    utterances = held_out_strings(splits.validation, data)
    utterances = utterances[:: max(1, len(utterances) // MOST_UTTERANCES)][:MOST_UTTERANCES]
    transcripts = Transcriber(network, features, decoding)([utterance.waveform() for utterance in utterances])
    said, recognised = [utterance.transcript for utterance in utterances], [own.text for own in transcripts]
    counts = confused_words(said, recognised)
    return [_aligned(features, utterances, transcripts), _confusions(counts)]


def _aligned(features: SpeechFeatures, utterances: Sequence[Utterance], transcripts: Sequence[Transcript]) -> Section:
    """The first recordings, one that is wrong among them if there is any."""
    pairs = list(zip(utterances, transcripts, strict=True))
    wrong = [number for number, (utterance, own) in enumerate(pairs) if own.text != utterance.transcript]
    blocks: list[Block] = [Paragraph(_ALIGNED_NOTE)]
    for number in sorted({*range(min(SHOWN, len(pairs))), *wrong[:1]}):
        utterance, transcript = pairs[number]
        waveform = np.pad(utterance.waveform(), (0, features.log_mel.window_samples))
        spectra = np.asarray(features.log_mel(waveform[None]))[0]
        frame_seconds = features.log_mel.hop_samples / features.sample_rate_hz
        title = f"Said: {utterance.transcript}. Recognised: {transcript.text} (confidence {transcript.confidence:.2f})"
        plot = plot_spectrogram(spectra, transcript.words, frame_seconds=frame_seconds, title=title)
        sound = wav_bytes(utterance.samples, features.sample_rate_hz)
        blocks += [plot.picture(), Sound(sound, utterance.transcript)]
    return Section("Recordings and their transcripts", blocks)


def _confusions(counts: Mapping[tuple[str, str], int]) -> Section:
    """The commonest pairs of what was said and what was recognised instead."""
    wrong = {pair: count for pair, count in counts.items() if pair[0] != pair[1]}
    if not wrong:
        return Section("Confused words", [Paragraph("No word of these validation recordings was confused.")])
    commonest = sorted(wrong, key=lambda pair: (-wrong[pair], pair))[:MOST_PAIRS]
    rows = [(said or "(nothing)", heard or "(nothing)", wrong[said, heard]) for said, heard in commonest]
    table = Table(("said", "recognised", "times"), rows, "The commonest errors in validation recordings")
    return Section("Confused words", [Gallery([_matrix(counts, wrong).picture()]), table])


def _matrix(counts: Mapping[tuple[str, str], int], wrong: Mapping[tuple[str, str], int]) -> Plot:
    """Counts of the words with the most errors, "-" for none on a side."""
    errors: dict[str, int] = {}
    for (said, heard), count in wrong.items():
        for word in (said, heard):
            errors[word] = errors.get(word, 0) + count
    words = sorted(errors, key=lambda word: (-errors[word], word))[:MOST_WORDS]
    words.sort()
    matrix = np.array([[counts.get((said, heard), 0) for heard in words] for said in words])
    return plot_confusion(matrix, [word or "-" for word in words], title="Words with the most errors")
