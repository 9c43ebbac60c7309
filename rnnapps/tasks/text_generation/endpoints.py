"""Signatures of models that read and write text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import STEPS
from rnnapps.decoding.distribution import Rules
from rnnapps.export.row_rules import between, text_within
from rnnapps.export.token_endpoints import token_endpoints
from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.text_generation.completion.search import complete_texts
from rnnapps.tasks.text_generation.data.token_kinds import NOUNS
from rnnapps.tasks.text_generation.export_config import TextExportConfig
from rnnapps.tasks.text_generation.further_rules import FURTHER
from rnnapps.tasks.text_generation.predict_options import Until
from rnnapps.tasks.text_generation.prompts import continue_texts, stop_ids
from rnnapps.tasks.text_generation.repeats import RepeatRules
from rnnapps.tasks.text_generation.text_scores import score_texts
from rnnapps.tasks.text_generation.tokens.vocabulary import TextVocabulary
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["network_endpoints", "text_endpoints"]

LONGEST_STOP = 256
"""The most characters of a text that ends an answer."""

WORD, LINE = get_args(Until)

DEFAULTS = {"temperature": 0.8, "top_k": 0, "top_p": 1.0, "stop": "", "seed": 0}

PROMPT = "text to go on from (batch,); empty for the beginning of a line"


def text_endpoints(model: TokenModel, vocabulary: TextVocabulary, limits: TextExportConfig) -> dict[str, Endpoint]:
    """`serving_default` writes, `complete` ends words, `score` judges, `tensors` scores ids, `step` goes on."""
    return {
        "serving_default": _writing(model, vocabulary, limits),
        "write": _writing_by_more_rules(model, vocabulary, limits),
        "complete": _completing(model, vocabulary, limits),
        "score": _scoring(model, vocabulary, limits),
        **token_endpoints(model, most_steps=limits.longest_prompt),
    }


def network_endpoints(network: keras.Model, limits: TextExportConfig, *, blended: bool) -> dict[str, Endpoint]:
    """`tensors` and `step` of the network alone, for runtimes without strings; it says so where more is served."""
    endpoints = token_endpoints(TokenModel(network), most_steps=limits.longest_prompt)
    told = " The network alone, without the n-grams that it is served with." if blended else ""
    return {name: replace(endpoint, summary=endpoint.summary + told) for name, endpoint in endpoints.items()}


def _writing(model: TokenModel, vocabulary: TextVocabulary, limits: TextExportConfig) -> Endpoint:
    """Prompts in, continuations out."""

    def write(prompt: Tensor, *, steps: Tensor, stop: Tensor, **how: Tensor) -> dict[str, Tensor]:
        return _written(model, vocabulary, prompt, steps=steps, stop=stop, how=how, repeats=None)

    kinds = {"temperature": tf.float32, "top_k": tf.int32, "top_p": tf.float32, "stop": tf.string, "seed": tf.int64}
    signature = {"prompt": tf.string, STEPS: tf.int32, **kinds}
    rules = (
        between(STEPS, 1, limits.longest_answer),
        between("temperature", 0),
        between("top_k", 0),
        between("top_p", 0, 1),
        text_within("prompt", limits.longest_prompt),
        text_within("stop", LONGEST_STOP),
    )
    return Endpoint(
        write,
        {name: tf.TensorSpec((None,), kind) for name, kind in signature.items()},
        _examples(vocabulary),
        rules=rules,
        neutral={STEPS: 1, "top_p": 1},
        summary="Prompts in, their continuations out.",
        meanings={
            "prompt": PROMPT,
            STEPS: f"the most {_tokens(vocabulary)} that are written",
            "text": "the continuation (batch,), without the prompt",
            "unknown_characters": "characters of the prompt that the model does not know (batch,)",
        },
        defaults=DEFAULTS | {"prompt": "", STEPS: min(200, limits.longest_answer)},
    )


def _writing_by_more_rules(model: TokenModel, vocabulary: TextVocabulary, limits: TextExportConfig) -> Endpoint:
    """The same with rules that came later: requests of earlier ones do not name them."""

    def write(
        prompt: Tensor, *, steps: Tensor, stop: Tensor, repetition_penalty: Tensor, no_repeat: Tensor, **how: Tensor
    ) -> dict[str, Tensor]:
        repeats = RepeatRules(repetition_penalty, no_repeat)
        return _written(model, vocabulary, prompt, steps=steps, stop=stop, how=how, repeats=repeats)

    plain, defaults = _writing(model, vocabulary, limits), {name: rule.default for name, rule in FURTHER.items()}
    examples = {name: np.array(rule.examples, rule.kind.as_numpy_dtype) for name, rule in FURTHER.items()}
    return replace(
        plain,
        function=write,
        input_signature=plain.input_signature
        | {name: tf.TensorSpec((None,), rule.kind) for name, rule in FURTHER.items()},
        examples=plain.examples | examples,
        rules=(*plain.rules, *(between(name, rule.least, rule.most) for name, rule in FURTHER.items())),
        neutral={**plain.neutral, **defaults},
        summary="Prompts in, their continuations out, by rules against repetition too.",
        meanings={**plain.meanings, **{name: rule.meaning for name, rule in FURTHER.items()}},
        defaults={**plain.defaults, **defaults},
    )


def _written(
    model: TokenModel,
    vocabulary: TextVocabulary,
    prompt: Tensor,
    *,
    steps: Tensor,
    stop: Tensor,
    how: Mapping[str, Tensor],
    repeats: RepeatRules | None,
) -> dict[str, Tensor]:
    """What the model writes behind prompts; `how` are further fields of `Rules`."""
    ids, lengths = stop_ids(vocabulary, stop)
    rules = Rules(**how, stop=ids, stop_lengths=lengths)
    text, unknown = continue_texts(model, vocabulary, prompt, rules, length=steps, stop=stop, repeats=repeats)
    return {"text": text, "unknown_characters": unknown}


def _completing(model: TokenModel, vocabulary: TextVocabulary, limits: TextExportConfig) -> Endpoint:
    """Prompts in, the likeliest ends of their words or lines out."""

    def complete(prompt: Tensor, until: Tensor) -> dict[str, Tensor]:
        lines = tf.equal(until, LINE)
        texts, shares, unknown = complete_texts(model, vocabulary, prompt, lines, count=limits.completions)
        return {"completions": texts, "probabilities": shares, "unknown_characters": unknown}

    def broken(inputs: NamedTensors) -> Tensor:
        return tf.not_equal(inputs["until"], WORD) & tf.not_equal(inputs["until"], LINE)

    examples = {"prompt": _prompts(vocabulary), "until": np.array([WORD, WORD, LINE, WORD, LINE], object)}
    return Endpoint(
        complete,
        {name: tf.TensorSpec((None,), tf.string) for name in examples},
        examples,
        rules=(RowRule(f"until must be {WORD} or {LINE}", broken), text_within("prompt", limits.longest_prompt)),
        neutral={"until": WORD},
        summary="Prompts in, the likeliest ends of their last word or line out.",
        meanings={
            "prompt": PROMPT,
            "until": f"{WORD}: up to the end of the last word, or of the next; {LINE}: of the line (batch,)",
            "completions": f"what may follow, the likeliest first (batch, {limits.completions}), empty for no more",
            "probabilities": "how likely each follows, and nothing longer; 0 for no more",
            "unknown_characters": "characters of the prompt that the model does not know (batch,)",
        },
        defaults={"prompt": "", "until": WORD},
    )


def _scoring(model: TokenModel, vocabulary: TextVocabulary, limits: TextExportConfig) -> Endpoint:
    """Texts in, how likely the model holds them out."""

    def score(prompt: Tensor, text: Tensor) -> dict[str, Tensor]:
        return score_texts(model, vocabulary, prompt, text)

    examples = {"prompt": _prompts(vocabulary), "text": np.roll(_prompts(vocabulary), 2)}
    return Endpoint(
        score,
        {name: tf.TensorSpec((None,), tf.string) for name in examples},
        examples,
        rules=tuple(text_within(name, limits.longest_prompt) for name in examples),
        summary=f"Texts in, the probability of each of their {_tokens(vocabulary)} out.",
        meanings={
            "prompt": PROMPT,
            "text": "what follows the prompt, and is judged (batch,)",
            "log_probability": "natural logarithm of the probability of the text behind its prompt (batch,)",
            "log_probabilities": f"that of each of its {_tokens(vocabulary)} (batch, time), zeros behind them",
            "pieces": f"its {_tokens(vocabulary)} as they are written (batch, time)",
            "characters": "number of characters of the text (batch,)",
            "unknown_characters": "those of them that the model does not know (batch,)",
        },
        defaults={"prompt": ""},
    )


def _examples(vocabulary: TextVocabulary) -> dict[str, Array]:
    """Requests to write, plain ones and some with every rule."""
    known = _known(vocabulary)
    return {
        "prompt": _prompts(vocabulary),
        STEPS: np.array([12, 3, 20, 1, 7], np.int32),
        "temperature": np.array([0.8, 0.0, 1.0, 0.5, 1.5], np.float32),
        "top_k": np.array([0, 0, 5, 0, 3], np.int32),
        "top_p": np.array([1.0, 1.0, 0.9, 1.0, 0.5], np.float32),
        "stop": np.array([b"", b"", "".join(known[1:2]).encode(), b"", b"\n"], object),
        "seed": np.array([1, 2, 3, 2**40, -5], np.int64),
    }


def _prompts(vocabulary: TextVocabulary) -> Array:
    """Texts of known characters, an empty one, and one with a character that is hardly known."""
    known = _known(vocabulary)
    texts = ["".join(known[:7]), "", "".join(known[-3:]), "\u2603 snow", "".join(known[2:4])]
    return np.array([text.encode() for text in texts], object)


def _tokens(vocabulary: TextVocabulary) -> str:
    """What its tokens are called."""
    return f"{NOUNS[vocabulary.kind]}s"


def _known(vocabulary: TextVocabulary) -> list[str]:
    """What the ids that are text are written as."""
    return [text for number, text in enumerate(vocabulary.texts) if number not in vocabulary.reserved]
