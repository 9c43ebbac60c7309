"""Names that mean the same in every signature of every model."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["COMMON_MEANINGS", "LENGTHS", "NEXT", "PROBLEM", "SEED", "STATE", "STEPS", "meaning_of", "next_state"]

LENGTHS = "lengths"
"""How many items of each row count; what lies behind them is padding."""

STEPS = "steps"
"""How much is wanted: characters, frames, events."""

SEED = "seed"
PROBLEM = "problem"
"""Name of the output that says why a row was not answered; every exported signature has it."""

STATE, NEXT = "state_", "next_"
"""What goes on from one request to the next is an input `state_<name>` and an output `next_state_<name>`."""

COMMON_MEANINGS = {
    LENGTHS: "how many items of the row count; what lies behind them is padding",
    STEPS: "how many steps are wanted",
    SEED: "any number; the same request with the same seed has the same answer",
    "temperature": "divides the logits before drawing; 0 always takes the likeliest",
    "top_k": "only the k likeliest are drawn; 0 for all",
    "top_p": "only the likeliest are drawn that together reach this probability; 1 for all",
    "stop": "the answer ends before this text; empty for none",
    PROBLEM: "why the row was not answered; empty where it was",
}
"""What common names stand for."""


def next_state(name: str) -> str:
    """The output that a state's input is fed from in the next request."""
    return NEXT + name


def meaning_of(name: str, inputs: Iterable[str]) -> str:
    """What a name stands for in any signature, or nothing if it has no common meaning.

    Args:
        name: of an input or output.
        inputs: names of the signature's inputs.
    """
    if name.startswith(STATE) and name in inputs:
        return f"what the model remembers: zeros at first, then {next_state(name)} of the last answer"
    if name.startswith(NEXT + STATE):
        return f"what the model remembers now: {name.removeprefix(NEXT)} of the next request"
    return COMMON_MEANINGS.get(name, "")
