"""The model card: what a person must know before using an exported model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.served import ServedSignature
from rnnapps.printable import printable

__all__ = ["ModelCard", "render_model_card"]

_UNKNOWN = "Not stated."


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model beyond its files.

    Attributes:
        name: what to call it.
        task: one sentence: what goes in, what comes out.
        data_source: what it was trained on.
        licence_note: licence of the data, and what follows for the model.
        intended_use: what it is good for.
        limitations: what it cannot do and where it fails; one item each.
        evaluation: its metrics beside those of naive baselines; None if it was never evaluated.
        facts: further rows of the last table: steps, parameters, training time...
    """

    name: str
    task: str = ""
    data_source: str = ""
    licence_note: str = ""
    intended_use: str = ""
    limitations: tuple[str, ...] = ()
    evaluation: Evaluation | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def render_model_card(
    card: ModelCard,
    *,
    signatures: Mapping[str, ServedSignature],
    versions: Mapping[str, str],
) -> str:
    """Returns the card as Markdown.

    Args:
        card: what is known of the model.
        signatures: name -> signature.
        versions: package -> version it was exported with.
    """
    limitations = "\n".join(f"- {item}" for item in card.limitations) or _UNKNOWN
    sections = {
        "Intended use": card.intended_use or _UNKNOWN,
        "Limitations": limitations,
        "Data": _plain(card.data_source) or _UNKNOWN,
        "Licence": card.licence_note or _UNKNOWN,
        "Results": _results(card.evaluation),
        "Signatures": "\n\n".join(_signature(name, signature) for name, signature in sorted(signatures.items())),
        "Limits of a row": _problems(signatures),
        "Made with": _table(("what", "value"), [*card.facts.items(), *versions.items()]),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {_plain(card.name)}\n\n{card.task or _UNKNOWN}\n\n{body}\n"


def _results(evaluation: Evaluation | None) -> str:
    """The table of metrics, the model's first, and what was measured on."""
    if evaluation is None:
        return "Not evaluated."
    names = list(evaluation.metrics)
    rows = [
        (row, *(_number(metrics[name]) if name in metrics else "" for name in names))
        for row, metrics in evaluation.rows("this model")
    ]
    table = _table(("", *(name.replace("_", " ") for name in names)), rows)
    verdict = evaluation.verdict.sentence if evaluation.verdict else ""
    words = (verdict, evaluation.note, f"{evaluation.examples:,} examples of the {evaluation.split} split.", table)
    return "\n\n".join(text for text in words if text)


def _signature(name: str, signature: ServedSignature) -> str:
    """What a signature does, and the table of its inputs and outputs."""
    tensors = {"input": signature.inputs, "output": signature.outputs}
    rows = [
        (kind, f"`{key}`", tensor.dtype, _shape(tensor.shape), tensor.meaning)
        for kind, named in tensors.items()
        for key, tensor in named.items()
    ]
    said = f"{_plain(signature.summary)}\n\n" if signature.summary else ""
    return f"### `{name}`\n\n{said}" + _table(("", "name", "type", "shape", "what it is"), rows)


def _problems(signatures: Mapping[str, ServedSignature]) -> str:
    """What a row may be refused for, signature by signature."""
    problems = {name: signature.problems for name, signature in signatures.items()}
    said = "\n".join(f"- `{name}`: {'; '.join(told)}" for name, told in sorted(problems.items()) if told)
    general = "A row that cannot be answered gets a `problem` and neutral values; the rows beside it are answered."
    return f"{general}\n\n{said}" if said else general


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join(["batch", *("any" if size is None else str(size) for size in shape[1:])]) + ")"


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that cannot break a Markdown table."""
    return _plain(str(text)).replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    """Text that holds no HTML, which Markdown would pass on, and no characters that a terminal obeys."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;")


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
