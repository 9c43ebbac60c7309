"""Every cell goes the whole way by its name alone: trained, scored, exported, verified, streamed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.text_generation.pipeline import PIPELINE
from tests.tasks.text_generation.small import SETTINGS, answer, succeed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_report")]

STEPS = {"m_lstm": 180}
"""What it reads is a product of three projections, which begins near 0: it needs more steps than the others."""


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_goes_the_whole_way(
    cell: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, models = tmp_path / "run", tmp_path / "model"
    steps = (f"--training.steps={STEPS.get(cell, 60)}", "--training.evaluate_every=30")
    succeed("train", "--run", run, "--data.source", text, "--model.cell", cell, *SETTINGS, *steps)
    evaluation = answer(capsys, "evaluate", "--run", run)
    assert evaluation["nats_per_character"] < 0.7 * evaluation["baselines"]["unigram"]["nats_per_character"]
    assert math.isfinite(evaluation["bits_per_character"])
    succeed("export", "--run", run, "--to", models)
    assert rnnapps_main(["verify", str(models / "1")]) == 0
    asked = ["--run", str(run), "--prompt", "zoo ", "--length", "30"]
    predicted = answer(capsys, "predict", *asked)["results"]
    assert main(PIPELINE, ["stream", *asked]) == 0
    assert capsys.readouterr().out == f"{predicted[0]}\n"


@pytest.mark.parametrize(
    "settings",
    [
        ("--model.layers=2", "--model.residual=true", "--model.dropout=0.1"),
        ("--model.tie_weights=true",),
        ("--training.precision=mixed_bfloat16",),
        ("--training.carry_state=false", "--training.optimizer=adamw", "--training.weight_decay=0.01"),
    ],
)
def test_every_option_goes_the_whole_way(
    settings: tuple[str, ...], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, models = tmp_path / "run", tmp_path / "model"
    steps = ("--training.steps=60", "--training.evaluate_every=30")
    succeed("train", "--run", run, "--data.source", text, *SETTINGS, *steps, *settings)
    evaluation = answer(capsys, "evaluate", "--run", run)
    assert evaluation["nats_per_character"] < 0.7 * evaluation["baselines"]["unigram"]["nats_per_character"]
    succeed("export", "--run", run, "--to", models)
    assert rnnapps_main(["verify", str(models / "1")]) == 0
    finetuned = answer(
        capsys, "finetune", "--from", models / "1", "--run", tmp_path / "tuned", "--training.steps", 1, "--seed", 3
    )
    assert not finetuned["transfer"]["reset"]
