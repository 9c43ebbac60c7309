from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.contract.evaluation import Evaluation, Verdict
from rnnapps.contract.sections import Paragraph, Section
from rnnapps.errors import CheckpointError
from rnnapps.reports.html import write_report
from rnnapps.reports.inspect import Inspection
from rnnapps.reports.plots import plot_gates, plot_gradients
from rnnapps.training.cost import LayerMemory, ParameterCount
from rnnapps.training.diagnostics import GradientThroughTime, Observation
from rnnapps.training.environment import keep_environment
from rnnapps.training.gates import summarise_gate
from rnnapps.training.operations import Operations
from rnnapps.training.run import RunFolder
from tests.reports.page import Page

ROWS: list[dict[str, Any]] = [
    {
        "step": step,
        "elapsed_seconds": 2.0 + step * 0.05,
        "validation_nats_per_character": 3.0 - step / 300,
        "loss": 2.9 - step / 300,
        "gradient_norm": 0.5 + step / 1000,
        "learning_rate": 0.003,
    }
    for step in (100, 200, 300)
]
EVALUATION = Evaluation(
    metrics={"nats_per_character": 1.803123},
    baselines={"unigram": {"nats_per_character": 3.3351}, "5-gram": {"nats_per_character": 1.7901}},
    examples=111540,
    split="validation",
    diagnostics={"unknown_characters": 7},
    verdict=Verdict("worse", "The model loses to 5-gram.", "nats_per_character", 1.803123),
    note="Another text than the run's.",
)
ALWAYS = ["Learning curves", "Speed", "Configuration", "Environment"]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "quick")
    folder.create()
    folder.config_path.write_text(
        "seed: 1\nmodel: {recurrent: {cell: gru}}\ntraining: {batch_size: 16, window_steps: 64}\n"
    )
    return folder


def inspection() -> Inspection:
    gradients = tuple(GradientThroughTime("recurrent", of, 0, (0.25, 0.5, 1.0)) for of in ("loss", "last output"))
    gate = summarise_gate("recurrent", "update", np.full((2, 3, 4), 0.95), np.ones((2, 3), bool))
    return Inspection(
        observation=Observation(1.5, gradients, (gate,)),
        parameters=(ParameterCount("embedding", 650, 0), ParameterCount("recurrent/gru", 1200, 30)),
        operations=(Operations("recurrent: recurrence", 5_000_000, 1_000_000),),
        memory=(LayerMemory("recurrent", 1 << 20, 1 << 20, 1 << 20),),
        measured_memory=3 << 20,
        batch_size=16,
        time_steps=64,
        plots={"gradient_through_time": plot_gradients(gradients), "gates": plot_gates((gate,))},
    )


def report(run: RunFolder, **options: Any) -> Page:
    return Page(write_report(run, **options).read_text(encoding="utf-8"))


def test_all_sections_of_a_full_run(run: RunFolder) -> None:
    for row in ROWS:
        run.append_metrics(row)
        run.append_samples(row["step"], [f"<b>step {row['step']}</b>", "&c."])
    page = report(
        run,
        title="A <GRU>",
        evaluation=EVALUATION,
        inspection=inspection(),
        sections=[Section("Confusion of digits", [Paragraph("3 & 8")])],
        loss_unit="nats_per_character",
        time_step="character",
    )
    assert page.texts("h1") == ["A <GRU>"]
    assert page.texts("h2") == [
        "Result",
        "Learning curves",
        "Samples through training",
        "Confusion of digits",
        "Inside the network",
        "Parameters and cost",
        "Speed",
        "Configuration",
        "Environment",
    ]
    assert page.texts("pre") == ["<b>step 100</b>", "&c.", "<b>step 200</b>", "&c.", "<b>step 300</b>", "&c."]
    assert len(page.attribute("img", "alt")) == 3 + 2 + 2  # curves, gradients, gates
    assert all(len(alt) > 20 for alt in page.attribute("img", "alt"))
    assert page.unbalanced == []
    assert "b" not in page.tags
    assert not re.search(r"https?://", page.text)


def test_figures_are_those_of_the_run(run: RunFolder) -> None:
    list(keep_environment(run.path, 0))
    for row in ROWS:
        run.append_metrics(row)
    page = report(
        run, evaluation=EVALUATION, inspection=inspection(), loss_unit="nats_per_character", time_step="character"
    )
    exact = [float(value) for value in page.attribute("data", "value")]
    for row in ROWS:
        assert all(float(value) in exact for value in row.values())
    speed = {row[0]: row[1] for row in page.rows_under("Speed")}
    assert speed["training steps per second, median"] == "20.00"
    assert speed["characters per second, median"] == "20,480"
    assert ["total", "1,850", "30"] in page.rows_under("Parameters and cost")
    assert ["operations, total, millions", "6.000", "18.00"] in page.rows_under("Parameters and cost")
    assert ["measured rise of peak memory (not compiled), MiB", "–", "3.000"] in page.rows_under("Parameters and cost")
    assert ["loss, recurrent, state 0", "0.2500", "0.5000", "1.000"] in page.rows_under("Inside the network")
    assert ["recurrent update", "0.9500", "0.000", "1.000"] in page.rows_under("Inside the network")
    assert ["model.recurrent.cell", "gru"] in page.rows_under("Configuration")
    assert {row[0] for row in page.rows_under("Environment")} >= {"python", "tensorflow", "keras", "threads"}


def test_a_winning_baseline_is_said_plainly(run: RunFolder) -> None:
    page = report(run, evaluation=EVALUATION)
    assert {"The model loses to 5-gram.", "Another text than the run's."} <= set(page.texts("p"))
    assert page.rows_under("Result") == [
        ["", "nats per character"],
        ["model", "1.803"],
        ["unigram", "3.335"],
        ["5-gram", "best1.790"],
        ["Diagnostic", "Value"],
        ["unknown characters", "7"],
    ]


@pytest.mark.parametrize(("model", "baseline"), [(0.9, 0.5), (0.4, 0.5), (0.5, 0.5), (math.nan, 0.5)])
def test_more_can_be_better(run: RunFolder, model: float, baseline: float) -> None:
    evaluation = Evaluation({"accuracy": model}, {"guess": {"accuracy": baseline}}, 10, "test")
    page = report(run, evaluation=evaluation, higher_is_better=frozenset({"accuracy"}))
    marked = [row[1].startswith("best") for row in page.rows_under("Result")[1:]]
    assert marked == [model >= baseline, not model > baseline]


def test_a_run_without_any_figures_has_a_report(run: RunFolder) -> None:
    page = report(run)
    assert page.texts("h2") == ALWAYS
    assert "No evaluation has been recorded yet." in page.texts("p")


def test_one_row_with_missing_figures_has_a_report(run: RunFolder) -> None:
    run.append_metrics(
        {"step": 1, "elapsed_seconds": 1.0, "loss": float("nan"), "gradient_norm": 0.0, "validation_x": 2}
    )
    page = report(run)
    assert page.texts("h2") == ALWAYS
    assert len(page.attribute("img", "alt")) == 2  # validation_x and the gradient norm
    assert "Speed needs at least two evaluations." in page.texts("p")


def test_a_folder_without_configuration_has_a_report(tmp_path: Path) -> None:
    page = report(RunFolder(tmp_path))
    assert "The run has no configuration." in page.texts("p")


def test_the_report_is_replaced_in_one_step(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_report(run, title="First").read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CheckpointError, match=r"report\.html: cannot write the report: No space left on device"):
        write_report(run, title="Second")
    assert run.report_path.read_text() == first
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "report.html", "state"]


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [\n"])
def test_a_damaged_configuration_is_one_clear_line(run: RunFolder, content: str) -> None:
    run.config_path.write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.yaml: ") as error:
        write_report(run)
    assert "\n" not in str(error.value)
