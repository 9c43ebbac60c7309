"""Scores of a recogniser on held-out recordings, beside a baseline; and the choice of a language model's weight."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from rnnapps.data.speech import UtteranceSplits
from rnnapps.data.speech_config import SpeechDataConfig
from rnnapps.data.utterance import Utterance, most_frequent
from rnnapps.decoding.symbol_ngram import SymbolNgram, affordable_order
from rnnapps.metrics.word_errors import error_rates, recognition_errors
from rnnapps.pipeline import Evaluation
from rnnapps.preprocessing.speech_features import SCALE, SpeechFeatures
from rnnapps.speech.model_config import DecodingConfig
from rnnapps.speech.recordings import held_out_strings
from rnnapps.speech.transcription import Transcriber

__all__ = ["evaluate_speech", "fit_language_model", "recognise"]

WEIGHTS, BONUSES = (0.0, 0.2, 0.4, 0.6, 0.9, 1.3), (0.0, 0.5, 1.0)
TUNING_ORDER = 4


def evaluate_speech(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    data: SpeechDataConfig,
    decoding: DecodingConfig,
    *,
    tune: bool = False,
) -> Evaluation:
    """Error rates on test recordings, beside the most frequent training transcript; joined where `data` joins clips.

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
        decoding, chosen = _tuned(network, features, splits, data, decoding)
    held_out = held_out_strings(splits.test, data)
    references = [each.transcript for each in held_out]
    texts, seconds = recognise(network, features, held_out, decoding, splits.train)
    guess = most_frequent([each.transcript for each in held_out_strings(splits.train, data)])
    duration = sum(each.seconds(features.sample_rate_hz) for each in held_out)
    return Evaluation(
        metrics=error_rates(references, texts),
        baselines={"most frequent transcript": error_rates(references, [guess] * len(references))},
        examples=len(held_out),
        split="test",
        diagnostics={
            **recognition_errors(references, texts),
            "seconds_of_sound": duration,
            "real_time_factor": seconds / duration,
            "processor_cores": float(len(os.sched_getaffinity(0))),
            **chosen,
        },
    )


def recognise(
    network: keras.Model,
    features: SpeechFeatures,
    utterances: Sequence[Utterance],
    decoding: DecodingConfig,
    train: Sequence[Utterance],
) -> tuple[list[str], float]:
    """Transcripts of utterances, and the seconds it took, without the time to build the graph."""
    transcriber = Transcriber(network, features, decoding, fit_language_model(features, decoding, train))
    recordings = [each.samples.astype(np.float32) / SCALE for each in utterances]
    transcriber(recordings[:1])
    begun = time.perf_counter()
    texts = [each.text for each in transcriber(recordings)]
    return texts, time.perf_counter() - begun


def fit_language_model(
    features: SpeechFeatures, decoding: DecodingConfig, train: Sequence[Utterance]
) -> SymbolNgram | None:
    """The n-gram model that a configuration asks for, of training transcripts; None where it asks for none."""
    if not decoding.language_model_order:
        return None
    ids = features.alphabet.size
    order = affordable_order(ids, decoding.language_model_order)
    return SymbolNgram.fit([features.alphabet.encode(each.transcript) for each in train], ids=ids, order=order)


def _tuned(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    data: SpeechDataConfig,
    decoding: DecodingConfig,
) -> tuple[DecodingConfig, dict[str, float]]:
    """The weight and bonus with the fewest wrong words on validation strings, of several the smallest."""
    order = decoding.language_model_order or TUNING_ORDER
    base = replace(decoding, beam_width=max(decoding.beam_width, 8), language_model_order=order)
    held_out = held_out_strings(splits.validation, data)
    references = [each.transcript for each in held_out]
    found: list[tuple[float, float, float]] = []
    for weight, bonus in itertools.product(WEIGHTS, BONUSES):
        tried = replace(base, language_model_weight=weight, symbol_bonus=bonus)
        texts, _ = recognise(network, features, held_out, tried, splits.train)
        found.append((error_rates(references, texts)["word_error_rate"], weight, bonus))
    rate, weight, bonus = min(found)
    chosen: dict[str, Any] = {
        "chosen_language_model_weight": weight,
        "chosen_symbol_bonus": bonus,
        "validation_word_error_rate": rate,
    }
    return replace(base, language_model_weight=weight, symbol_bonus=bonus), chosen
