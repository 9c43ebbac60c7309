"""Parts by Apache Beam, and a handler for pipelines of one's own; the model stays in its process.

Beam's own handler for TensorFlow loads a SavedModel by Keras, which Keras 3 refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from rnnapps.scoring.engine import PartDone, PartTask, PartWorker, counted, missing_parts
from rnnapps.scoring.options import Progress, Scored
from rnnapps.scoring.part_scorer import ScoreJob
from rnnapps.scoring.records import Source
from rnnapps.scoring.table import RowScorer

__all__ = ["SavedModelHandler", "score_on_beam"]

NAMESPACE = "rnnapps"


class SavedModelHandler(ModelHandler):
    """A model for `RunInference`: examples are rows, by the names of inputs; inferences are outputs by their names.

    Args:
        export: version folder, or folder of versions, whose newest is taken.
        signature: of the model that is asked.
        most_rows: that are asked at a time.
    """

    def __init__(self, export: str | Path, signature: str = "serving_default", *, most_rows: int = 1024) -> None:
        super().__init__()
        self._export, self._name, self._most_rows = str(export), signature, most_rows

    def load_model(self) -> RowScorer:
        """Starts the model's process, once for each process of the runner."""
        return RowScorer(self._export, self._name)

    def run_inference(
        self,
        batch: Sequence[Mapping[str, Any]],
        model: RowScorer,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """The answers to some rows, in their order; `problem` alone where there is none."""
        del inference_args  # a signature has none but its inputs
        return map(PredictionResult, batch, model(batch))

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """How many rows come at a time."""
        return {"max_batch_size": self._most_rows}

    def get_metrics_namespace(self) -> str:
        """What its metrics are found under."""
        return NAMESPACE


class _PartHandler(ModelHandler):
    """A model for `RunInference` whose examples are whole parts, which it writes."""

    def __init__(self, job: ScoreJob) -> None:
        super().__init__()
        self._job = job

    def load_model(self) -> PartWorker:
        return PartWorker(self._job)

    def run_inference(
        self, batch: Sequence[PartTask], model: PartWorker, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[PartDone]:
        del inference_args
        return map(model, batch)

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        return NAMESPACE


def score_on_beam(job: ScoreJob, progress: Progress) -> Scored:
    """Writes the missing parts of a job.

    Args:
        job: what is to be scored; the options of its engine are those of a pipeline, such as `runner` and
            `flink_master`. Without `runner` it is run on this machine, in as many processes as the job has workers.
        progress: is told at the end, as a pipeline says nothing before.
    """
    pipeline = beam.Pipeline(options=_options(job))
    numbers = range(len(job.sources))
    counts = (
        pipeline
        | "sources" >> beam.Create(list(zip(numbers, job.sources, strict=True)))
        | "spread" >> beam.Reshuffle()
        | "count" >> beam.Map(_counted)
    )
    done = (
        pipeline
        | "once" >> beam.Create([job])
        | "parts" >> beam.FlatMap(_missing, beam.pvalue.AsDict(counts))
        | "share" >> beam.Reshuffle()
        | "score" >> RunInference(_PartHandler(job))
    )
    _ = done | "tell" >> beam.Map(_tell)
    result = pipeline.run()
    result.wait_until_finish()
    found = {
        counter.key.metric.name: counter.committed or counter.attempted
        for counter in result.metrics().query(beam.metrics.MetricsFilter().with_namespace(NAMESPACE))["counters"]
    }
    scored = Scored(found.get("rows", 0), found.get("problems", 0), found.get("parts", 0))
    progress(scored.rows + scored.problems, 1.0)
    return scored


def _options(job: ScoreJob) -> PipelineOptions:
    given = dict(job.options.engine_options)
    if "runner" not in given:
        local = {"runner": "DirectRunner", "direct_num_workers": str(job.options.workers)}
        given = {
            **local,
            "direct_running_mode": "multi_processing" if job.options.workers > 1 else "in_memory",
            **given,
        }
    return PipelineOptions([f"--{name}={value}" for name, value in given.items()])


def _counted(numbered: tuple[int, Source]) -> tuple[int, int]:
    number, source = numbered
    return number, counted(source)


def _missing(job: ScoreJob, counts: Mapping[int, int]) -> Iterator[PartTask]:
    return missing_parts(job, [counts[number] for number in range(len(job.sources))])


def _tell(done: PartDone) -> PartDone:
    counts = {"parts": 1, "rows": done.rows, "problems": done.problems}
    for name, count in counts.items():
        beam.metrics.Metrics.counter(NAMESPACE, name).inc(count)
    return done
