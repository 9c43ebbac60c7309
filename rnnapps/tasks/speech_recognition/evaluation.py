"""Scores of a recogniser on held-out recordings, beside a baseline; and the choice of a language model's weight."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import keras

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.errors import ConfigError
from rnnapps.metrics.parts import ratio
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.joined_clips import draw_strings
from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, most_frequent
from rnnapps.tasks.speech_recognition.decoding.symbol_ngram import SymbolNgram, affordable_order
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.nearest_recording import nearest_transcripts
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.recordings import HELD_OUT_PASSES, HELD_OUT_SEED, held_out_strings
from rnnapps.tasks.speech_recognition.remarks import evaluation_remarks, unknown_symbols
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.tasks.speech_recognition.word_errors import error_rates, error_statistics, recognition_errors

__all__ = ["count_symbols", "evaluate_speech"]

WEIGHTS, BONUSES = (0.0, 0.3, 0.6, 1.0, 1.5), (0.0, 0.7)
TUNING_BEAM, MOST_TUNED = 8, 300


def evaluate_speech(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    *,
    data: SpeechDataConfig,
    decoding: DecodingConfig,
    tune: bool = False,
) -> Evaluation:
    """Error rates on test recordings, beside baselines; joined where `data` joins clips.

    Args:
        network: the network.
        features: front end and alphabet.
        splits: the data.
        data: how clips are joined.
        decoding: how transcripts are found.
        tune: first choose weight and bonus of the language model on the validation split.
    """
    chosen: dict[str, float] = {}
    if tune:
        decoding, chosen = _tuned(network, features, splits, data=data, decoding=decoding)
    held_out = held_out_strings(splits.test, data)
    references = [utterance.transcript for utterance in held_out]
    texts, seconds = _recognise(Transcriber(network, features, decoding), held_out)
    for line in evaluation_remarks(features.alphabet, references, texts):
        print(line, file=sys.stderr)
    judged = {MODEL: texts, **_baselines(features, held_out_strings(splits.train, data), held_out)}
    rates = {name: error_rates(references, own) for name, own in judged.items()}
    duration = sum(utterance.seconds(features.sample_rate_hz) for utterance in held_out)
    return Evaluation(
        metrics=rates.pop(MODEL),
        baselines=rates,
        examples=len(held_out),
        split="test",
        diagnostics={
            **recognition_errors(references, texts),
            "unknown_symbols": float(sum(unknown_symbols(features.alphabet, references).values())),
            "seconds_of_sound": duration,
            "real_time_factor": seconds / duration,
            "processor_cores": float(len(os.sched_getaffinity(0))),
            **chosen,
        },
        comparison=Comparison(
            "word_error_rate",
            {name: error_statistics(references, own) for name, own in judged.items()},
            ratio,
            part="recordings",
        ),
    )


def _baselines(
    features: SpeechFeatures, train: Sequence[Utterance], held_out: Sequence[Utterance]
) -> dict[str, list[str]]:
    """What a model must beat: one transcript for all, and that of the training recording that sounds most alike."""
    guess = most_frequent([utterance.transcript for utterance in train])
    return {
        "most frequent transcript": [guess] * len(held_out),
        "nearest training recording": nearest_transcripts(features.log_mel, train, held_out),
    }


def count_symbols(features: SpeechFeatures, train: Sequence[Utterance], data: SpeechDataConfig) -> SpeechFeatures:
    """Adds the n-grams of the training transcripts, as training joins them, to a front end."""
    if not data.language_model_order:
        return features
    strings = draw_strings(
        [utterance.speaker for utterance in train],
        minimum=data.join_minimum,
        maximum=data.join_maximum,
        passes=min(data.join_passes, HELD_OUT_PASSES),
        sample_rate_hz=data.sample_rate_hz,
        seed=HELD_OUT_SEED,
    )
    texts = [" ".join(train[clip].transcript for clip in clips) for clips in strings.clips]
    ids = features.alphabet.size
    order = affordable_order(ids, data.language_model_order)
    model = SymbolNgram.fit([features.alphabet.encode(text) for text in texts], ids=ids, order=order)
    return replace(features, symbol_ngrams=model.table)


def _recognise(transcriber: Transcriber, utterances: Sequence[Utterance]) -> tuple[list[str], float]:
    """Transcripts of utterances, and the seconds it took, without the time to build the graph."""
    recordings = [utterance.waveform() for utterance in utterances]
    transcriber(recordings[:1])
    begun = time.perf_counter()
    texts = [transcript.text for transcript in transcriber(recordings)]
    return texts, time.perf_counter() - begun


def _tuned(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    *,
    data: SpeechDataConfig,
    decoding: DecodingConfig,
) -> tuple[DecodingConfig, dict[str, float]]:
    """The weight and bonus with the fewest wrong words on validation strings, of several the smallest."""
    base = replace(decoding, beam_width=max(decoding.beam_width, TUNING_BEAM))
    transcriber = Transcriber(network, features, base)
    if transcriber.language_model is None:
        problem = "the model was trained with data.language_model_order 0"
        raise ConfigError(f"--tune needs a language model; {problem}, and there is no decoding.language_model")
    held_out = held_out_strings(splits.validation, data)
    held_out = held_out[:: max(1, len(held_out) // MOST_TUNED)][:MOST_TUNED]
    recordings = [utterance.waveform() for utterance in held_out]
    references = [utterance.transcript for utterance in held_out]
    scores: list[tuple[float, float, float]] = []
    for (weight, bonus), texts in transcriber.with_weights(recordings, list(itertools.product(WEIGHTS, BONUSES))):
        scores.append((error_rates(references, texts)["word_error_rate"], weight, bonus))
    rate, weight, bonus = min(scores)
    chosen = {
        "chosen_language_model_weight": weight,
        "chosen_symbol_bonus": bonus,
        "validation_word_error_rate": rate,
    }
    return replace(base, language_model_weight=weight, symbol_bonus=bonus), chosen
