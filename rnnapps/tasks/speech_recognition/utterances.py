"""What was heard of a stream so far: utterances, when they are over, and what is given out of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnapps.tasks.speech_recognition.preprocessing.alphabet import BLANK, Alphabet
from rnnapps.tasks.speech_recognition.results import Word

__all__ = ["EndpointRules", "StreamResult", "Utterance"]


@dataclass(frozen=True)
class EndpointRules:
    """When an utterance is over, in seconds: the first rule that holds ends it (Kaldi's `online-endpoint.h`).

    Attributes:
        silence_after_nothing: rule 1, trailing silence where nothing was recognised.
        silence_after_speech: rule 2, trailing silence behind something that was recognised.
        longest: rule 3, length of the utterance, whatever is heard.
    """

    silence_after_nothing: float = 2.4
    silence_after_speech: float = 1.2
    longest: float = 20.0


@dataclass(frozen=True)
class StreamResult:
    """What is known of an utterance.

    Attributes:
        segment: number of the utterance.
        final: whether it is over, and this is all of it.
        transcript: what was recognised so far.
        stable: the part of it that stays as it is: all that is complete, up to a word that may still grow.
        start: where the utterance begins, in seconds of the stream.
        end: how far the stream was heard.
        words: with their times.
    """

    segment: int
    final: bool
    transcript: str
    stable: str
    start: float
    end: float
    words: tuple[Word, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> StreamResult:
        """What `asdict` made of one, and JSON of that."""
        return cls(**{**facts, "words": tuple(Word(**word) for word in facts["words"])})


@dataclass
class Utterance:
    """An utterance that is being heard: the likeliest symbol of each output, repetitions merged and blanks dropped.

    Attributes:
        segment: its number.
        start: its first output, counted from the beginning of the stream.
        heard: how many outputs of the stream were heard.
        spoken: the output behind the last at which a symbol was heard that is no space.
        previous: likeliest symbol of the last output.
        symbols: ids that are written, each with its first output and the one behind its last.
    """

    segment: int = 0
    start: int = 0
    heard: int = 0
    spoken: int = 0
    previous: int = BLANK
    symbols: list[list[int]] = field(default_factory=list)

    def copy(self) -> Utterance:
        """Another one with the same content."""
        return copy.deepcopy(self)

    def hear(self, symbol: int, space: int) -> None:
        """Takes the likeliest symbol of the next output; `space` is the id of the space, of which one alone is kept."""
        if symbol not in (BLANK, self.previous):
            between = self.symbols and self.symbols[-1][0] != space
            if symbol != space or between:
                self.symbols.append([symbol, self.heard, self.heard])
        self.heard += 1
        if symbol != BLANK and self.symbols and self.symbols[-1][0] == symbol:
            self.symbols[-1][2] = self.heard
        if symbol not in (BLANK, space):
            self.spoken = self.heard
        self.previous = symbol

    @property
    def silent(self) -> int:
        """Outputs of trailing silence."""
        return self.heard - max(self.spoken, self.start)

    def transcript(self, alphabet: Alphabet) -> str:
        """What is written so far."""
        separator = " " if alphabet.unit == "words" else ""
        return separator.join(alphabet.symbols[symbol - 1] for symbol, *_ in self.symbols)

    def words(self, alphabet: Alphabet, seconds_per_output: float) -> tuple[Word, ...]:
        """The words with their times: from the first output of the first symbol to the last of the last."""
        groups: list[list[Sequence[int]]] = [[]]
        for row in self.symbols:
            if row[0] == alphabet.space:
                groups.append([])
            elif alphabet.unit == "words":
                groups.append([row])
            else:
                groups[-1].append(row)
        return tuple(
            Word(
                "".join(alphabet.symbols[symbol - 1] for symbol, *_ in group),
                round(group[0][1] * seconds_per_output, 3),
                round(group[-1][2] * seconds_per_output, 3),
            )
            for group in groups
            if group
        )

    def fired(self, rules: EndpointRules, seconds_per_output: float) -> int:
        """Which rule says that the utterance is over: 1, 2 or 3; 0 for none."""
        silence, length = self.silent * seconds_per_output, (self.heard - self.start) * seconds_per_output
        if silence >= rules.silence_after_nothing and not self.symbols:
            return 1
        if silence >= rules.silence_after_speech and self.symbols:
            return 2
        return 3 if length >= rules.longest else 0

    def following(self, rule: int, space: int) -> tuple[Utterance, Utterance]:
        """What is over by a rule, and the utterance behind it, which begins with the word that rule 3 interrupts."""
        over, after = self.copy(), self.copy()
        places = [place for place, (symbol, *_) in enumerate(self.symbols) if symbol == space]
        kept = places[-1] + 1 if rule == 3 and places else len(self.symbols)
        over.symbols, after.symbols = self.symbols[:kept], self.symbols[kept:]
        after.segment += bool(over.symbols)
        after.start = after.symbols[0][1] if after.symbols else self.heard
        if rule != 3:
            after.previous = BLANK
        return over, after
