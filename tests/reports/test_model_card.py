from __future__ import annotations

from rnnapps.contract.evaluation import Evaluation, Verdict
from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.reports.model_card import ModelCard, render_model_card

SIGNATURES = {
    "step": ServedSignature(
        "Goes | on.",
        {"tokens": ServedTensor("int32", [None, None], "ids")},
        {"logits": ServedTensor("float32", [None, 7]), "loss": ServedTensor("float32", [None], "nats")},
        ["tokens must be known"],
    )
}


def test_card() -> None:
    metrics, verdict = {"nats_per_character": 1.25}, Verdict("better", "It wins.", "nats_per_character", 1.25)
    evaluation = Evaluation(metrics, {"uni|gram": {"nats_per_character": 3.0}}, 1234, "test", verdict=verdict)
    card = ModelCard(
        "Toy", "Writes text.", limitations=("Knows no Greek.",), evaluation=evaluation, facts={"cell": "gru"}
    )
    text = render_model_card(card, signatures=SIGNATURES, versions={"keras": "3"})
    lines = text.splitlines()
    assert lines[0] == "# Toy"
    assert "- Knows no Greek." in lines
    assert lines[lines.index("## Results") + 2] == "It wins."
    assert "1,234 examples of the test split." in lines
    assert "| this model | 1.25 |" in lines
    assert "| uni\\|gram | 3 |" in lines
    assert "| input | `tokens` | int32 | (batch, any) | ids |" in lines
    assert "| output | `logits` | float32 | (batch, 7) |  |" in lines
    assert "| output | `loss` | float32 | (batch) | nats |" in lines
    assert lines[lines.index("### `step`") + 2] == "Goes | on."
    assert "- `step`: tokens must be known" in lines
    assert "| cell | gru |" in lines
    assert "| keras | 3 |" in lines


def test_what_is_unknown_is_said() -> None:
    text = render_model_card(ModelCard("Toy"), signatures={}, versions={})
    assert "## Licence\n\nNot stated." in text
    assert "## Results\n\nNot evaluated." in text
