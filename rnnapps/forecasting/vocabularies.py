"""Which weights of a forecaster are indexed by names, for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from rnnapps.preprocessing.series_features import SeriesFeatures
from rnnapps.training.finetune import VocabularyChange

__all__ = ["vocabulary_changes"]

_CHANNELS = {"normalization/log_gain": 0, "normalization/offset": 0, "channel/vectors": 0, "calibration/shift": 1}
_SERIES = {"series_vectors/embeddings": 0}
_STATIC = {"static_features/kernel": 0}


def vocabulary_changes(network: keras.Model, old: SeriesFeatures, new: SeriesFeatures) -> Sequence[VocabularyChange]:
    """The weights indexed by channels, static features and series, whose names may have been added or moved."""
    return (
        VocabularyChange(old.scaler.channels, new.scaler.channels, _present(network, _CHANNELS)),
        VocabularyChange(old.static_feature_names, new.static_feature_names, _present(network, _STATIC)),
        VocabularyChange(("", *old.series), ("", *new.series), _present(network, _SERIES)),
    )


def _present(network: keras.Model, axes: Mapping[str, int]) -> dict[str, int]:
    return {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}
