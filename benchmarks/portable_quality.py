"""What 8-bit weights cost in the metric of each task: streams of held-out data through the files of `step`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.portable_files import Run
from rnnapps.portable.static import StaticGraph
from rnnapps.types import Array, Arrays

__all__ = ["PLACES", "QUALITY", "Stream"]

PLACES = 24
"""Of what a stream begins with, such as a sentence to be translated."""


class Stream:
    """A step that goes on from its own states.

    Args:
        run: a file, or the graph itself.
        static: the step; its states begin as it says.
    """

    def __init__(self, run: Run, static: StaticGraph) -> None:
        self.run, self.static = run, static
        self.begin({})

    def begin(self, states: Arrays) -> None:
        """Back to the first states, or to those that another signature gave."""
        first = {name: value[None] for name, value in self.static.first.items()}
        self.states: Arrays = {**first, **{name: value for name, value in states.items() if name in first}}

    def __call__(self, **inputs: Array) -> Mapping[str, Array]:
        """The answer to the next chunk."""
        answer = self.run({**inputs, **self.states})
        self.states = {name: np.asarray(answer[after]) for name, after in self.static.states.items()}
        return answer


def text(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Nats a character of the beginning of the held-out text."""
    splits = model.pipeline.examples(model.config)
    held_out = b"".join((splits.test or splits.validation).as_numpy_iterator()).decode()[: rows + 1]
    ids = model.preprocessor.vocabulary.encode([held_out])[0].numpy()[0]
    nats = [
        _nats(steps["step"](tokens=ids[None, place : place + 1])["logits"][0, 0], ids[place + 1])
        for place in range(rows)
    ]
    return "nats a character", float(np.mean(nats))


def music(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Nats a step of the grid, of held-out pieces."""
    splits, nats = model.pipeline.examples(model.config), []
    for piece in splits.test or splits.validation:
        frames = model.preprocessor.frames(piece).astype(np.int32)
        steps["step"].begin({})
        for before, now in zip([np.zeros_like(frames[0]), *frames[:-1]], frames, strict=True):
            logits = steps["step"](frames=before[None, None], drawn=now[None])["logits"][0].astype(np.float64)
            nats.append(np.logaddexp(0, logits).sum() - logits[now > 0].sum())
        if len(nats) >= rows:
            break
    return "nats a step", float(np.mean(nats))


def anomaly(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Area under the curve of precision and recall over held-out rows."""
    from rnnapps.tasks.anomaly_detection.metrics import average_precision

    splits, scores, labels = model.pipeline.examples(model.config), [], []
    for part in splits.parts.test:
        own = part.rows()
        steps["step"].begin({})
        for values, label in list(zip(own.values, own.labels, strict=True))[:rows]:
            scores.append(float(steps["step"](rows=values[None, None])["score"][0, 0]))
            labels.append(int(label))
    return "AUC-PR", float(average_precision(np.array(labels), np.array(scores)))


def forecasting(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Mean absolute error of the mean, as a share of that of the value a season ago on training rows (MASE)."""
    features, errors = model.preprocessor, []
    for part in model.pipeline.examples(model.config).parts.test:
        series, season = part.series, features.season(part.series)
        taught = series.values[: part.start]
        scale = np.nanmean(np.abs(taught[season:] - taught[:-season]))
        number = np.array([features.series.index(series.name) + 1], np.int32)
        steps["step"].begin({})
        horizon = len(steps["step"].static.cases[0].outputs["mean"][0])
        for place in range(max(part.start - 200, 0), min(part.stop - horizon, part.start + rows)):
            given: Arrays = {"history": series.values[None, place : place + 1], "series": number}
            if "last_time" in steps["step"].static.inputs:
                given["last_time"] = np.array([series.times[place] // 10**9], np.int64)
            mean = steps["step"](**given)["mean"][0]
            if place + 1 >= part.start:
                errors.append(np.nanmean(np.abs(mean - series.values[place + 1 : place + 1 + horizon])) / scale)
    return "MASE", float(np.nanmean(errors))


def video(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Share of held-out films whose class after the last frame is right, percent."""
    videos, right = model.pipeline.examples(model.config).test[:rows], []
    for film in videos:
        steps["step"].begin({})
        for frame in film.rows():
            answer = steps["step"](frames=frame[None, None])
        right.append(model.preprocessor.labels[int(answer["probabilities"][0, -1].argmax())] == film.label)
    return "films right, %", 100 * float(np.mean(right))


def speech(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Word error rate of held-out recordings, percent, decoded greedily."""
    import jiwer

    stream, alphabet = steps["step"], model.preprocessor.alphabet
    chunk = stream.static.inputs["waveform"].shape[1]
    texts, said = [], []
    splits = model.pipeline.examples(model.config)
    for utterance in (splits.test or splits.validation)[:rows]:
        stream.begin({})
        sound = np.pad(utterance.waveform(), (0, model.preprocessor.tail_samples + chunk))
        best = []
        for begin in range(0, len(sound) - chunk + 1, chunk):
            answer = stream(waveform=sound[None, begin : begin + chunk])
            best += np.asarray(answer["logits"])[0, : int(answer["outputs"][0])].argmax(axis=-1).tolist()
        kept = [now for before, now in zip([0, *best[:-1]], best, strict=True) if now not in (0, before)]
        symbols = np.array([kept], np.int32).reshape(1, -1)
        texts.append(alphabet.decode(symbols, np.array([len(kept)], np.int32)).numpy()[0].decode())
        said.append(utterance.transcript)
    return "word error rate, %", 100 * float(jiwer.wer(said, texts))


def translation(model: Any, steps: Mapping[str, Stream], rows: int) -> tuple[str, float]:
    """Share of held-out phrases that are translated exactly right, greedily, percent."""
    from rnnapps.preprocessing.special_pieces import END, START

    splits, vocabularies, right = model.pipeline.examples(model.config), model.preprocessor, []
    places = steps["encode"].static.inputs["source"].shape[1]
    for pair in (splits.test or splits.validation)[:rows]:
        ids, lengths = (value.numpy() for value in vocabularies.source.encode([pair.source]))
        if lengths[0] > places:
            continue
        source = np.pad(ids, ((0, 0), (0, places - ids.shape[1])))
        states = steps["encode"](source=source, source_lengths=lengths)
        steps["step"].begin({name.removeprefix("next_"): np.asarray(value) for name, value in states.items()})
        written = [START]
        while written[-1] != END and len(written) < 2 * places + 10:
            answer = steps["step"](tokens=np.array([[written[-1]]], np.int32))
            written.append(int(np.asarray(answer["logits"])[0, 0, END:].argmax()) + END)
        found = np.array([[number for number in written[1:] if number != END]], np.int32)
        target = vocabularies.target.decode(found, np.array([found.shape[1]], np.int32)).numpy()[0].decode()
        right.append(target == pair.target)
    return "exactly right, %", 100 * float(np.mean(right))


def _nats(logits: Array, wanted: int) -> float:
    wide = np.asarray(logits, np.float64)
    return float(np.logaddexp.reduce(wide) - wide[wanted])


QUALITY: dict[str, Callable[[Any, Mapping[str, Stream], int], tuple[str, float]]] = {
    "anomaly_detection": anomaly,
    "forecasting": forecasting,
    "music_generation": music,
    "speech_recognition": speech,
    "text_generation": text,
    "translation": translation,
    "video_recognition": video,
}
"""Pipeline -> the function that names its metric and measures it on some rows."""
