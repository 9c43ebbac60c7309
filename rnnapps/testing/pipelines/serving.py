"""Use: the run, its export and its stream give one answer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnapps.contract.evaluation import MODEL, Evaluation
from rnnapps.contract.served import ServedSignature
from rnnapps.errors import ConfigError
from rnnapps.export.signature_file import read_signatures
from rnnapps.testing.pipelines.subject import QUICK, PipelineSubject
from rnnapps.verbs.configure import options_of_others
from rnnapps.verbs.ensemble import ensemble
from rnnapps.verbs.evaluate import evaluate
from rnnapps.verbs.members import join
from rnnapps.verbs.model import Model
from rnnapps.verbs.opening import open_model
from rnnapps.verbs.start import train

__all__ = ["check_answers", "check_ensemble", "check_evaluation", "check_export", "check_stream"]

TOLERANCE = 1e-5


def check_evaluation(subject: PipelineSubject) -> None:
    """`evaluate` gives finite figures, the same twice, beside at least one baseline that shares a metric."""
    opened = open_model(subject.pipeline, subject.model.path, subject.config)
    first, second = (evaluate(subject.pipeline, opened, subject.splits, keep=False) for _ in range(2))
    assert first.metrics, "evaluate finds no metric"
    wrong = {name: value for name, value in first.metrics.items() if not math.isfinite(value)}
    assert not wrong, f"metrics that are no numbers: {wrong}"
    assert first.baselines, "evaluate compares with no baseline"
    for name, metrics in first.baselines.items():
        assert set(metrics) & set(first.metrics), f"baseline {name!r} shares no metric with the model"
    assert first.examples > 0 and first.split in ("test", "validation"), "evaluate must say what it has scored"
    same = first.metrics == second.metrics and first.baselines == second.baselines
    assert same, f"two evaluations differ: {first} and {second}"
    assert first.verdict and first.verdict == second.verdict, "two evaluations come to different verdicts"
    _require_comparison(first)


def _require_comparison(evaluation: Evaluation) -> None:
    """The parts that are drawn again add up to what is printed, for the model and for each baseline."""
    comparison = evaluation.comparison
    assert comparison is not None, "evaluate gives no comparison: model and baselines cannot be told apart from chance"
    for name, statistics in comparison.statistics.items():
        values = evaluation.metrics if name == MODEL else evaluation.baselines[name]
        score, printed = float(comparison.score(statistics.sum(axis=0))), values[comparison.metric]
        close = math.isclose(score, printed, rel_tol=1e-4, abs_tol=1e-6)
        assert close, f"the parts of {name!r} make {comparison.metric} {score}, not {printed}"
    lengths = {name: len(statistics) for name, statistics in comparison.statistics.items()}
    assert len(set(lengths.values())) == 1, f"model and baselines must be compared on the same parts, not {lengths}"
    missing = {name for name, own in evaluation.baselines.items() if comparison.metric in own} - set(lengths)
    assert not missing, f"the comparison lacks the parts of {sorted(missing)}"


def check_export(subject: PipelineSubject) -> None:
    """The export passes verification: any batch, padded and bad rows, no state, no randomness; and says what it is."""
    version = subject.export  # which appears only when it has passed; else the reason is an ExportError
    nameless = [
        f"{name}: {key or 'summary'}"
        for name, signature in read_signatures(version).signatures.items()
        for key, said in _said(signature).items()
        if not said
    ]
    assert not nameless, f"clients are not told what these are, see Endpoint.summary and meanings: {nameless}"
    assert subject.pipeline.intended_use, "intended_use is empty: the model card needs it"
    assert subject.pipeline.limitations, "limitations is empty: the model card needs it"


def _said(signature: ServedSignature) -> dict[str, str]:
    """What is said of a signature ("") and of each of its tensors."""
    return {"": signature.summary} | {
        name: tensor.meaning for name, tensor in (*signature.inputs.items(), *signature.outputs.items())
    }


def check_answers(subject: PipelineSubject) -> None:
    """The export, loaded, predicts what the run predicts, and the run the same twice."""
    expected = _results(subject, subject.model)
    _require_close(expected, _results(subject, subject.model), "predicting twice")
    exported = Model(subject.pipeline, open_model(subject.pipeline, subject.export, subject.config))
    _require_close(expected, _results(subject, exported), "the loaded export's prediction")


def check_stream(subject: PipelineSubject) -> None:
    """The pieces of a stream add up to the prediction."""
    _require_stream(subject, subject.model)


def check_ensemble(subject: PipelineSubject) -> None:
    """Two seeds joined are one model: its export verifies and answers as the run does, and so does its stream.

    A pipeline that does not join its networks, or not those of such settings, has no ensembles.
    """
    try:
        join(subject.pipeline, [subject.config] * 2, subject.fitted.preprocessor)
    except ConfigError:
        return
    # A few more updates: of networks that have hardly learned, the mean knows no likeliest answer.
    longer = {"training.steps": 24, "training.evaluate_every": 12}
    settings = {**QUICK, **subject.settings, **longer, "seed": subject.config.seed + 1}
    other = train(subject.pipeline, run=subject.folder / "other_seed", **settings)
    paths = [subject.model.path, other.path]
    joint = ensemble(subject.pipeline, paths, subject.folder / "joint", judged=False)
    model: Model[Any, Any, Any] = Model(subject.pipeline, joint.model, joint.splits)
    expected = _results(subject, model)
    loaded = open_model(subject.pipeline, model.path, subject.config)
    _require_close(expected, _results(subject, Model(subject.pipeline, loaded)), "the loaded ensemble's prediction")
    version = model.export(subject.folder / "joint_models")
    exported = open_model(subject.pipeline, version, subject.config)
    _require_close(expected, _results(subject, Model(subject.pipeline, exported)), "the ensemble's export's prediction")
    _require_stream(subject, model)


def _require_stream(subject: PipelineSubject, model: Model[Any, Any, Any]) -> None:
    """The pieces of a stream add up to the prediction, where the pipeline can stream."""
    if subject.streamed is None:
        return
    others = options_of_others(subject.pipeline, "stream")
    options = {name: value for name, value in subject.options.items() if name not in others}
    pieces = list(model.stream(subject.inputs, **options))
    assert pieces, "the stream is empty"
    expected = subject.predicted(model.predict(subject.inputs, **subject.options))
    _require_close(_values(expected), _values(subject.streamed(pieces)), "what a stream adds up to")


def _results(subject: PipelineSubject, model: Model[Any, Any, Any]) -> Any:
    return _values(model.predict(subject.inputs, **subject.options))


def _values(result: Any) -> Any:
    """Results as nested plain values and arrays."""
    if hasattr(result, "to_dict") and hasattr(result, "columns"):
        return result.to_dict("list")
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {field.name: _values(getattr(result, field.name)) for field in dataclasses.fields(result)}
    if isinstance(result, Mapping):
        return {key: _values(value) for key, value in result.items()}
    if isinstance(result, Sequence) and not isinstance(result, str | bytes):
        return [_values(item) for item in result]
    return result


def _require_close(expected: Any, found: Any, what: str) -> None:
    if isinstance(expected, Mapping):
        assert isinstance(found, Mapping) and set(expected) == set(found), f"{what}: {found!r}, expected {expected!r}"
        for key in expected:
            _require_close(expected[key], found[key], f"{what}, {key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(expected) == len(found), f"{what}: {found!r}, expected {expected!r}"
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            _require_close(one, other, f"{what}, {number}")
    elif isinstance(expected, float | np.ndarray | np.number):
        close = np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        assert close, f"{what}: {found!r}, expected {expected!r}"
    else:
        assert expected == found or expected is found, f"{what}: {found!r}, expected {expected!r}"
