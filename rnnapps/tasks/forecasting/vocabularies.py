"""Which weights of a forecaster are indexed by names, for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from rnnapps.contract.vocabulary import VocabularyChange
from rnnapps.tasks.forecasting.series_features import SeriesFeatures

__all__ = ["vocabulary_changes"]

Axes = Mapping[str, int]

_CHANNELS = {"normalization/log_gain": 0, "normalization/offset": 0, "channel/vectors": 0, "calibration/shift": 1}
_READ_TOGETHER = {"segment/kernel": 0}
_WRITTEN_TOGETHER = {
    **{"horizon/kernel": 1, "horizon/bias": 0},
    **{"horizon_correction/kernel": 1, "horizon_correction/bias": 0},
    **{"decoder/write/kernel": 1, "decoder/write/bias": 0},
}
_SERIES = {"series_vectors/embeddings": 0}
_STATIC = {"static_features/kernel": 0}
_PAST = {"covariate_segment/kernel": 0}
_FUTURE = {"horizon_covariates/kernel": 0}


def vocabulary_changes(network: keras.Model, old: SeriesFeatures, new: SeriesFeatures) -> Sequence[VocabularyChange]:
    """The weights indexed by channels, covariates, static features and series, whose names may be new or moved."""
    layers = {layer.name: layer for layer in network.layers}
    segment = layers["segments"].steps
    changes = [
        _change(network, _CHANNELS, old.scaler.channels, new.scaler.channels),
        _change(network, _STATIC, old.static_feature_names, new.static_feature_names),
        _change(network, _SERIES, ("", *old.series), ("", *new.series)),
        _change(network, _PAST, *(_times(segment, names.covariate_names) for names in (old, new))),
        _change(network, _FUTURE, old.covariate_names, new.covariate_names),
    ]
    if "fold" not in layers:  # the channels are read, and written, side by side
        channels = (old.scaler.channels, new.scaler.channels)
        pairs = [[f"{kind} of {name}" for name in names for kind in ("value", "flag")] for names in channels]
        changes.append(_change(network, _READ_TOGETHER, *(_times(segment, names) for names in pairs)))
        per_value = layers["numbers"].target_shape[-1]
        numbers = [[f"{number} of {name}" for name in names for number in range(per_value)] for names in channels]
        for path, axis in _WRITTEN_TOGETHER.items():
            steps = {"horizon": network.output["mean"].shape[1], "decoder": segment}.get(path.split("/")[0], 1)
            changes.append(_change(network, {path: axis}, *(_times(steps, names) for names in numbers)))
    return changes


def _change(network: keras.Model, axes: Axes, old: Sequence[str], new: Sequence[str]) -> VocabularyChange:
    """The change for those of the weights that this network has."""
    present = {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}
    return VocabularyChange(old, new, present)


def _times(steps: int, names: Sequence[str]) -> list[str]:
    """The names once for each step, step by step."""
    return [f"{name} at {step}" for step in range(steps) for name in names]
