"""Fine-tuning: weights of a trained network moved by name into one whose vocabularies may have grown."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import keras
import numpy as np

from rnnapps.contract.vocabulary import VocabularyChange
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.types import Array

__all__ = ["TransferReport", "freeze", "is_statistic", "transfer"]

NOISE = 0.1
"""Noise of new rows, as a share of the standard deviation among the known rows."""


@dataclass(frozen=True)
class TransferReport:
    """What became of each weight; a path is in exactly one of `loaded`, `grown` and `reset`.

    Attributes:
        loaded: paths whose values equal the source's bit for bit.
        grown: path -> number of new entries; its known entries equal the source's bit for bit.
        reset: path -> why it keeps its fresh initialisation.
        frozen: paths that training will not change.
        unused: source paths the network has no place for.
    """

    loaded: tuple[str, ...] = ()
    grown: Mapping[str, int] = dataclasses.field(default_factory=dict)
    reset: Mapping[str, str] = dataclasses.field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The report as lines of text."""
        return [
            *(f"loaded  {path}" for path in self.loaded),
            *(f"grown   {path}: {count} new entries" for path, count in self.grown.items()),
            *(f"reset   {path}: {reason}" for path, reason in self.reset.items()),
            *(f"frozen  {path}" for path in self.frozen),
            *(f"unused  {path} of the source" for path in self.unused),
        ]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return dataclasses.asdict(self)


def transfer(
    network: keras.Model,
    weights: Mapping[str, Array],
    *,
    vocabularies: Sequence[VocabularyChange] = (),
    freeze_layers: Sequence[str] = (),
    seed: int = 0,
) -> TransferReport:
    """Loads what fits of a source's weights, extends what a vocabulary indexes, and freezes layers.

    New entries get the mean of the known entries plus a tenth of their standard deviation as Gaussian noise: they then
    start as average ones instead of disturbing the known (Hewitt 2021, "Initializing new word embeddings for pretrained
    language models").

    Args:
        network: the new network, freshly initialised.
        weights: path -> array, from `read_weights` or an export.
        vocabularies: those whose ids have changed; of all others ids mean the same as before.
        freeze_layers: as for `freeze`.
        seed: of the noise.

    Raises:
        CheckpointError: not one weight fits.
        ConfigError: a pattern of `freeze_layers`, or a path of a vocabulary's axes, names nothing or is named twice.
    """
    variables = _by_path(network)
    indexed = _indexed(vocabularies, list(variables))
    generator = np.random.default_rng(seed)
    loaded, grown, reset = [], {}, {}
    for path, variable in variables.items():
        source, vocabulary = weights.get(path), indexed.get(path)
        if source is None:
            reset[path] = "the source has no weight of this name"
        elif vocabulary and source.shape[vocabulary.axes[path]] == len(vocabulary.old):
            value, count = _grow(source, vocabulary, vocabulary.axes[path], generator)
            if value.shape != tuple(variable.shape):
                reset[path] = f"shape {list(source.shape)} in the source, {list(variable.shape)} here"
                continue
            variable.assign(value)
            if count:
                grown[path] = count
            else:
                loaded.append(path)
        elif vocabulary or source.shape != tuple(variable.shape):
            reset[path] = f"shape {list(source.shape)} in the source, {list(variable.shape)} here"
        else:
            variable.assign(source)
            loaded.append(path)
    if not loaded and not grown:
        raise CheckpointError("no weight of the source fits the new network; use the source's own model settings")
    frozen = freeze(network, freeze_layers)
    unused = tuple(sorted(weights.keys() - variables.keys()))
    return TransferReport(tuple(loaded), grown, reset, tuple(frozen), unused)


def freeze(network: keras.Model, patterns: Sequence[str]) -> list[str]:
    """Makes layers untrainable; call it again after rebuilding the network of a run that is resumed.

    Args:
        network: any model.
        patterns: shell patterns (`*`, `?`), each matching the name of a layer, of a layer inside it, or the whole
            path of a variable: `embedding`, `recurrent*`, `logits/bias`.

    Returns:
        The paths of all frozen weights.

    Raises:
        ConfigError: a pattern matches nothing, or nothing trainable is left.
    """
    for pattern in patterns:
        layers = [layer for layer in network.layers if fnmatchcase(layer.name, pattern) and layer.weights]
        weights = [weight for weight in network.weights if _matches(weight.path, pattern)]
        if not layers and not weights:
            names = sorted({part for weight in network.weights for part in weight.path.split("/")[:-1]})
            raise ConfigError(f"no layer is called {pattern!r}{_nearest(pattern, names)}")
        for item in [*layers, *weights]:
            item.trainable = False
    if patterns and not network.trainable_variables:
        raise ConfigError(f"{', '.join(patterns)}: freezes the whole network, so that there is nothing to train")
    trainable = {variable.path for variable in network.trainable_variables}
    return [weight.path for weight in network.weights if weight.path not in trainable and not is_statistic(weight)]


def is_statistic(weight: keras.Variable) -> bool:
    """Whether a weight is a running mean or variance of batch normalisation, which no training ever changes itself."""
    return weight.path.rpartition("/")[2] in ("moving_mean", "moving_variance")


def _indexed(vocabularies: Sequence[VocabularyChange], paths: Sequence[str]) -> dict[str, VocabularyChange]:
    """Path of a weight -> the vocabulary that indexes it."""
    found: dict[str, VocabularyChange] = {}
    for vocabulary in vocabularies:
        for path in vocabulary.axes:
            if path not in paths:
                raise ConfigError(f"{path}: is no weight of the network{_nearest(path, paths)}")
            if path in found:
                raise ConfigError(f"{path}: is indexed by two vocabularies; name it in one of them")
            found[path] = vocabulary
    return found


def _grow(source: Array, vocabulary: VocabularyChange, axis: int, generator: np.random.Generator) -> tuple[Array, int]:
    """Returns (the source with its entries in the new order, number of new entries)."""
    rows = np.moveaxis(source, axis, 0)
    ids = {name: index for index, name in enumerate(vocabulary.old)}
    places = np.array([ids.get(name, -1) for name in vocabulary.new])
    known = rows.astype(np.float64)
    noise = generator.normal(size=(len(places), *rows.shape[1:])) * known.std(axis=0) * NOISE
    value = (known.mean(axis=0) + noise).astype(source.dtype)
    value[places >= 0] = rows[places[places >= 0]]
    return np.moveaxis(value, 0, axis), int((places < 0).sum())


def _by_path(network: keras.Model) -> dict[str, keras.Variable]:
    """Path -> weight."""
    variables = {variable.path: variable for variable in network.weights}
    if len(variables) != len(network.weights):
        raise CheckpointError("two weights of the network share one path; give its layers own names")
    return variables


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern names a weight or a layer that holds it."""
    return fnmatchcase(path, pattern) or any(fnmatchcase(part, pattern) for part in path.split("/")[:-1])


def _nearest(name: str, names: Sequence[str]) -> str:
    """The end of an error: the name that was probably meant."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return f"; the nearest is {close[0]!r}" if close else ""
