"""Sound while it is heard: words as soon as they are complete, or results of utterances, that end at endpoints."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.errors import ConfigError
from rnnapps.layers.side_by_side import first_of
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.utterances import EndpointRules, StreamResult, Utterance
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["CompiledStep", "Listener", "listen", "stream_words"]

Piece = TypeVar("Piece")
COMPLETE_SECONDS = 0.3
"""Of trailing silence, after which a word is given out that no space follows yet."""


class CompiledStep:
    """The step of a stream as one graph for chunks of any size.

    Args:
        network: a network that reads forwards.
        features: front end with stored normalisation.

    Raises:
        ConfigError: the network reads backwards too.
    """

    def __init__(self, network: keras.Model, features: SpeechFeatures) -> None:
        if first_of(network).get_layer("recurrent").bidirectional or features.normalization.kind != "stored":
            needs = "model.bidirectional false and model.normalization stored"
            raise ConfigError(f"this model reads whole recordings and cannot stream; train one with {needs}")
        self.stream = SpeechStream(network, features)
        waveform = tf.TensorSpec((None, None), tf.float32)
        lengths, last = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.bool)
        signature = [waveform, lengths, last, self.stream.state_signature()]
        self._function = tf.function(self.stream.step, input_signature=signature, autograph=False)

    def __call__(self, waveforms: Tensor, lengths: Tensor, last: Tensor, states: NamedTensors) -> dict[str, Tensor]:
        """See `SpeechStream.step`."""
        answer: dict[str, Tensor] = self._function(waveforms, lengths, last, states)
        return answer


@dataclass(frozen=True)
class _Answer:
    """What one step gives: the likeliest symbol of each new output, and the new states."""

    symbols: list[int]
    states: dict[str, Tensor]


class Listener:
    """Hears a stream chunk by chunk, and says after each what is known of its utterances.

    After an endpoint in silence (rules 1 and 2) the network begins anew, as it does with each recording in training;
    what is too long (rule 3) is parted between two words, and the network goes on.

    Args:
        step: of a network that reads forwards.
        rules: when an utterance is over.
        memory: what was heard before.

    Attributes:
        utterance: the one that is being heard.
    """

    def __init__(self, step: CompiledStep, rules: EndpointRules, *, memory: StreamMemory) -> None:
        self.features, self.rules, self.utterance = step.stream.features, rules, Utterance()
        self._step = step
        self._states = step.stream.first_states(1)
        if before := memory.before("speech"):
            arrays = {name: tf.constant(array) for name, array in before.arrays.items()}
            self._states = {**arrays, "transcript": tf.constant([""])}
            self.utterance = Utterance(**before.facts)
        memory.watch("speech", self._remembered)

    def build(self, samples: int) -> None:
        """Makes the graph, with silence of the size of a chunk that changes nothing."""
        self._answer(np.zeros(samples, np.float32), False)

    def hear(self, chunk: Array, *, last: bool = False) -> list[Utterance]:
        """Takes a chunk, float32 `(samples,)`; returns the utterances that are over, the same in chunks of any size."""
        ended: list[Utterance] = []
        answer = self._answer(chunk, last)
        while (found := self._endpoint(answer.symbols, len(chunk))) is not None:
            utterance, rule, samples = found
            self._states = self._answer(chunk[:samples], False).states
            chunk = chunk[samples:]
            over, self.utterance = utterance.following(rule, self.features.alphabet.space)
            if rule != 3:
                self._states = self._step.stream.first_states(1)
            if over.symbols:
                ended.append(over)
            answer = self._answer(chunk, last)
        self._states = answer.states
        for symbol in answer.symbols:
            self.utterance.hear(symbol, self.features.alphabet.space)
        return [*ended, self.utterance] if last and self.utterance.symbols else ended

    def result(self, utterance: Utterance, *, final: bool) -> StreamResult:
        """What is known of an utterance."""
        step, alphabet = self.features.seconds_per_output, self.features.alphabet
        text, words = utterance.transcript(alphabet).rstrip(), utterance.words(alphabet, step)
        stable = text[: self.complete(utterance) if not final else len(text)].rstrip()
        times = round(utterance.start * step, 3), round(utterance.heard * step, 3)
        return StreamResult(utterance.segment, final, text, stable, *times, words)

    def complete(self, utterance: Utterance) -> int:
        """Characters of its transcript that belong to complete words.

        A word is complete once a space follows it, or silence; where words are the units, as soon as it is there.
        """
        text = utterance.transcript(self.features.alphabet)
        silent = utterance.silent * self.features.seconds_per_output >= COMPLETE_SECONDS
        whole = silent or self.features.alphabet.unit == "words"
        return len(text) if whole else text.rfind(" ") + 1

    def _answer(self, chunk: Array, last: bool) -> _Answer:
        """One step from the present states."""
        answer = self._step(tf.constant(chunk[None]), tf.constant([len(chunk)]), tf.constant([last]), self._states)
        count = int(answer["outputs"][0])
        symbols = np.argmax(answer["logits"][0, :count].numpy(), axis=1).tolist()
        states = {name: answer[name] for name in self._states}
        return _Answer(symbols, {**states, "transcript": tf.constant([""])})  # utterances hold what is written

    def _endpoint(self, symbols: list[int], samples: int) -> tuple[Utterance, int, int] | None:
        """The first endpoint within the outputs of a chunk of so many samples.

        Returns:
            The utterance up to there, the rule, and after how many samples of the chunk the output was due; or None.
        """
        heard, size = int(self._states["heard"][0]), self.features.samples_per_output
        utterance = self.utterance.copy()
        for number, symbol in enumerate(symbols, start=heard // size + 1):
            utterance.hear(symbol, self.features.alphabet.space)
            if number * size - heard > samples:
                return None  # an output of the silence behind the end
            if rule := utterance.fired(self.rules, self.features.seconds_per_output):
                return utterance, rule, number * size - heard
        return None

    def _remembered(self) -> Remembered:
        """The states, and the utterance."""
        arrays = {name: state.numpy() for name, state in self._states.items() if name != "transcript"}
        return Remembered(asdict(self.utterance), arrays)


def listen(
    listener: Listener, chunks: Iterable[Array], *, partial: bool, memory: StreamMemory
) -> Iterator[StreamResult]:
    """Results of utterances; that of one which has not ended is none, where another stream goes on.

    Args:
        listener: hears them.
        chunks: sound of full scale 1, float32 `(samples,)` each.
        partial: also those of utterances that are not over, whenever more was recognised.
        memory: of the stream.
    """
    before = memory.before("results")
    pending = [StreamResult.of(facts) for facts in before.facts["pending"]] if before else []
    shown = tuple(before.facts["shown"]) if before else (0, "")
    memory.watch("results", lambda: Remembered({"pending": [asdict(each) for each in pending], "shown": shown}))
    yield from _one_by_one(pending)
    for chunk, last in _with_end(chunks):
        if last and memory.keeps:
            return
        pending += [listener.result(over, final=True) for over in listener.hear(chunk, last=last)]
        found = listener.result(listener.utterance, final=False)
        now = found.segment, found.transcript
        if partial and not last and found.transcript and now != shown:
            pending.append(found)
        shown = now
        yield from _one_by_one(pending)
        memory.passed()


def stream_words(listener: Listener, chunks: Iterable[Array], *, timed: bool, memory: StreamMemory) -> Iterator[str]:
    """Words as soon as they are complete, and a line feed behind each utterance.

    Args:
        listener: hears them.
        chunks: sound of full scale 1, float32 `(samples,)` each.
        timed: tell the real-time factor at the end on standard error.
        memory: of the stream; where another one goes on, the end is none.
    """
    before = memory.before("words")
    page = _Page(listener, **before.facts) if before else _Page(listener)
    memory.watch("words", page.remembered)
    busy, heard = 0.0, 0
    yield from _one_by_one(page.pending)
    for chunk, last in _with_end(chunks):
        if last and memory.keeps:
            return
        begun = time.perf_counter()
        page.write(listener.hear(chunk, last=last), last=last)
        busy, heard = busy + time.perf_counter() - begun, heard + len(chunk)
        yield from _one_by_one(page.pending)
        memory.passed()
    seconds = heard / listener.features.sample_rate_hz
    if timed and seconds:
        print(f"{seconds:.1f} s of sound; real-time factor {busy / seconds:.3f}", file=sys.stderr)


@dataclass
class _Page:
    """What is written of a stream, a line for each utterance.

    Attributes:
        listener: hears the stream.
        written: characters of the utterance that were given out.
        lines: how many utterances are over.
        pending: pieces that are to be given out.
    """

    listener: Listener
    written: int = 0
    lines: int = 0
    pending: list[str] = field(default_factory=list)

    def write(self, over: Iterable[Utterance], *, last: bool) -> None:
        """Takes utterances that are over, and what is complete of the one that is being heard."""
        alphabet = self.listener.features.alphabet
        for utterance in over:
            rest = utterance.transcript(alphabet).rstrip()[self.written :]
            self.written, self.lines = 0, self.lines + 1
            self.pending += [rest, "\n"] if rest else ["\n"]
        known = 0 if last else self.listener.complete(self.listener.utterance)
        if known > self.written:
            self.pending.append(self.listener.utterance.transcript(alphabet)[self.written : known])
            self.written = known
        if last and not self.lines:
            self.pending.append("\n")

    def remembered(self) -> Remembered:
        """All of it but the listener."""
        return Remembered({"written": self.written, "lines": self.lines, "pending": list(self.pending)})


def _one_by_one(pending: list[Piece]) -> Iterator[Piece]:
    """Takes pieces out, each when it is asked for, so that those are remembered which were not."""
    while pending:
        yield pending.pop(0)


def _with_end(chunks: Iterable[Array]) -> Iterator[tuple[Array, bool]]:
    """Each chunk, and at last an empty one that is the end."""
    for chunk in chunks:
        yield chunk, False
    yield np.zeros(0, np.float32), True
