"""The operations of every pipeline's endpoints in all its variants, and of every cell, found by tracing them; and those
of the exports of earlier versions that are kept in tests/golden.

python -m tests.export.traced writes them into rnnapps/export/operations_used.txt; run it when a pipeline, a cell or
TensorFlow changed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from rnnapps.cells import CELLS
from rnnapps.contract.fitted import Fitted
from rnnapps.export.allowed import USED
from rnnapps.export.graph import nodes_of, operations_of, read_saved_model
from rnnapps.export.row_by_row import row_by_row
from rnnapps.export.signatures import trace
from rnnapps.reports.model_card import ModelCard
from rnnapps.verbs.configure import configure
from rnnapps.verbs.data import read_examples
from tests.export.conftest import Words, text_endpoint
from tests.export.test_recurrent import network_of, step_endpoint
from tests.golden.archives import earlier_operations
from tests.tasks.anomaly_detection import watched
from tests.tasks.conformance import settings_of
from tests.tasks.forecasting import forecasts
from tests.tasks.music_generation import midi_bytes, pieces
from tests.tasks.speech_recognition import recordings, spoken
from tests.tasks.text_generation import small
from tests.tasks.translation import sentences
from tests.tasks.video_recognition import video_files, videos

FLAGS: dict[str, tuple[str, ...]] = {
    "text_generation": small.SETTINGS,
    "translation": sentences.SETTINGS,
    "speech_recognition": spoken.SETTINGS,
    "video_recognition": videos.SETTINGS,
    "music_generation": pieces.SETTINGS,
    "anomaly_detection": watched.SETTINGS,
    "forecasting": forecasts.SETTINGS,
}

# Every choice that changes a graph, alone: operations come from parts, which combine freely.
VARIANTS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "text_generation": (
        {"model.tie_weights": True, "model.embedding_units": 16, "model.units": 16},
        {"model.blend": "ngram"},
        {"data.tokens": "words", "data.vocabulary": 90},
        {"data.tokens": "subwords", "data.vocabulary": 90},
    ),
    "translation": (
        {"data.tokens": "words"},
        {"data.tokens": "characters", "data.lowercase": True},
        {"data.tokens": "subwords"},
        {"data.tokens": "wordpieces"},
        {"model.attention": "additive", "model.input_feeding": True, "decoding.beam_width": 3},
        {"model.tie_embeddings": True, "model.embedding_units": 8, "model.units": 8},
        {"model.context_layers": 1, "decoding.beam_width": 1},
    ),
    "speech_recognition": (
        {"data.unit": "words"},
        {"model.normalization": "utterance", "model.bidirectional": False},
        {"decoding.beam_width": 4, "decoding.language_model_weight": 0.5},
    ),
    "video_recognition": (
        {"data.colour": "rgb", "model.inputs": "frames"},
        {"data.crop": "stretch", "model.inputs": "differences", "model.bidirectional": True},
        {"data.crop": "subject"},
        *(
            {"model.encoder": name, "data.size": 32}
            for name in ("mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0")
        ),
    ),
    "music_generation": (
        {"data.representation": "events"},
        {"data.representation": "events", "data.velocity_levels": 4},
        {"model.key_units": 0},
    ),
    "anomaly_detection": (
        {"model.detector": "autoencoder", "training.window_steps": 128},
        {"model.detector": "classifier", "training.window_steps": 128, "detection.smoothing_steps": (1, 30)},
        {"detection.scorer": "absolute", "detection.normalise": False, "detection.aggregate": "mean"},
        {"detection.threshold": "dynamic"},
        {"detection.threshold": "extreme_value", "data.scaling": "robust", "data.calendar": True},
        {"data.scaling": "none"},
    ),
    "forecasting": (
        {"model.decoder": "autoregressive"},
        *({"model.distribution": name} for name in ("gaussian", "student_t", "negative_binomial")),
        *({"model.normalization": name} for name in ("difference", "none")),
        {"model.channels": "joint", "model.calendar": "none"},
    ),
}


def write_used(names: Iterable[str]) -> None:
    """Writes the list that `verify` allows."""
    USED.write_text("\n".join(["# Written by `python -m tests.export.traced`.", *sorted(set(names))]) + "\n", "utf-8")


def traced(task: str, folder: Path) -> Iterator[set[str]]:
    """The operations of each variant of a pipeline, after small data was written to the folder."""
    pipeline = importlib.import_module(f"rnnapps.tasks.{task}.pipeline").PIPELINE
    base = {**settings_of(FLAGS[task]), "data.source": source(task, folder)}
    for changes in ({}, *VARIANTS[task]):
        keras.backend.clear_session()
        config = configure(pipeline, {}, {**base, **changes})
        splits = read_examples(pipeline, config)
        preprocessor = pipeline.fit_preprocessor(config, splits)
        network = pipeline.build_model(config, preprocessor)
        endpoints = pipeline.endpoints(Fitted(config, preprocessor, network))
        careful = {name: row_by_row(name, endpoint) for name, endpoint in endpoints.items()}
        graphs = [trace(name, endpoint).graph.as_graph_def() for name, endpoint in careful.items()]
        yield {node.op for graph in graphs for node in nodes_of(graph)} - {
            function.signature.name for graph in graphs for function in graph.library.function
        }


def cells_and_saving(folder: Path) -> set[str]:
    """The operations of all cells, of a table, and of what saves and restores, in exports."""
    from rnnapps.export.saved_model import export

    network, words, card = network_of(tuple(CELLS)), Words(), ModelCard("toy")
    endpoints = {"serving_default": text_endpoint(words), "step": step_endpoint(network)}
    version = export(endpoints, network, words, folder / "toy", config_yaml="", model_card=card)
    return operations_of(read_saved_model(version))


def source(task: str, folder: Path) -> str:
    """Small data of a task."""
    writers: dict[str, Callable[[], Path]] = {
        "text_generation": lambda: small.write_words(folder / "words.txt", 2000),
        "translation": lambda: sentences.write_pairs(folder / "pairs.tsv", 60),
        "speech_recognition": lambda: recordings.write_manifest(folder / "recordings", 24),
        "video_recognition": lambda: video_files.write_moves(folder / "moves", 8),
        "music_generation": lambda: midi_bytes.write_scales(folder / "scales", 8),
        "anomaly_detection": lambda: watched.write_rows(folder / "rows.csv"),
        "forecasting": lambda: forecasts.write_wave(folder / "wave.csv", forecasts.wave().round()),
    }
    return str(writers[task]())


def main() -> None:
    """Writes the list."""
    names: set[str] = set()
    with TemporaryDirectory() as folder:
        for task in FLAGS:
            for found in traced(task, Path(folder)):
                names |= found
            print(task, len(names), flush=True)
        write_used(names | cells_and_saving(Path(folder)) | earlier_operations(Path(folder, "earlier")))


if __name__ == "__main__":
    main()
