"""A client of served text models, with a method for what they are asked for."""

from __future__ import annotations

from typing import Any

from rnnapps.client import Client

__all__ = ["TextClient"]


class TextClient(Client):
    """Asks a model that writes text; see `Client`."""

    def write(
        self,
        prompt: str = "",
        *,
        steps: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: str | None = None,
        seed: int | None = None,
        min_p: float | None = None,
        repetition_penalty: float | None = None,
        no_repeat: int | None = None,
    ) -> str:
        """The continuation of a prompt, without the prompt.

        Args:
            prompt: text to go on from; empty for the beginning of a line.
            steps: the most characters. None here and below: the model's own default.
            temperature: divides the logits; 0 always takes the likeliest.
            top_k: only so many of the likeliest are drawn; 0 for all.
            top_p: only the likeliest that together reach this probability; 1 for all.
            stop: the text ends before this.
            seed: the same request with the same seed has the same answer.
            min_p: only tokens at least this share as likely as the likeliest are drawn; 0 for all.
            repetition_penalty: multiplies the logarithm of the probability of what was written lately; 1 for none.
            no_repeat: no sequence of so many tokens is written twice; 0 for any.

        Raises:
            ServingError: the server cannot be reached, or refuses the request.
        """
        numbers = {"steps": steps, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
        wishes: dict[str, Any] = {**numbers, "stop": stop}
        inputs = {name: value for name, value in wishes.items() if value is not None}
        rules = {"min_p": min_p, "repetition_penalty": repetition_penalty, "no_repeat": no_repeat}
        further = {name: value for name, value in rules.items() if value is not None}
        signature = "write" if further else "serving_default"
        return str(self.predict({"prompt": [prompt], **inputs, **further}, signature)["text"][0])

    def complete(self, prompt: str, *, until: str | None = None) -> list[tuple[str, float]]:
        """The likeliest ends of a prompt's last word, or of its line, with their probabilities.

        Args:
            prompt: text that breaks off somewhere.
            until: where they end, `word` or `line`. None: a word.
        """
        inputs = {"prompt": [prompt]} | ({} if until is None else {"until": [until]})
        found = self.predict(inputs, "complete")
        pairs = zip(found["completions"][0], found["probabilities"][0], strict=True)
        return [(str(text), float(chance)) for text, chance in pairs if chance > 0]

    def score(self, text: str, *, prompt: str = "") -> float:
        """The natural logarithm of the probability of a text behind a prompt."""
        return float(self.predict({"prompt": [prompt], "text": [text]}, "score")["log_probability"][0])
