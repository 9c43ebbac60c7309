"""A client of served translation models, with a method for what they are asked for."""

from __future__ import annotations

from rnnapps.client import Client

__all__ = ["TranslationClient"]


class TranslationClient(Client):
    """Asks a model that translates; see `Client`."""

    def translate(self, sentence: str) -> str:
        """The best translation of a sentence; raises ServingError."""
        return str(self.predict({"sentence": [sentence]})["translation"][0])

    def n_best(self, sentence: str, *, length_penalty: float = 1.0) -> list[tuple[str, float]]:
        """Several translations with their scores, the best first.

        Args:
            sentence: what is to be translated.
            length_penalty: higher favours long translations; 0 compares sums of log-probabilities.

        Raises:
            ServingError: the server cannot be reached, or refuses the request.
        """
        answer = self.predict({"sentence": [sentence], "length_penalty": length_penalty}, "n_best")
        found = zip(answer["translations"][0].tolist(), answer["scores"][0].tolist(), strict=True)
        return [(text, score) for text, score in found if text]

    def score(self, sentence: str, translation: str) -> float:
        """The natural logarithm of the probability of a translation."""
        inputs = {"sentence": [sentence], "translation": [translation]}
        return float(self.predict(inputs, "score")["log_probability"][0])
