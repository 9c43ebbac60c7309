from __future__ import annotations

import numpy as np

from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet
from rnnapps.tasks.speech_recognition.remarks import empty_remark, evaluation_remarks, unknown_symbols


def test_symbols_that_the_model_lacks_are_named_and_counted() -> None:
    alphabet = Alphabet(" aehlo")
    assert unknown_symbols(alphabet, ["hallö", "öl", "hello", "quo"]) == {"ö": 2, "q": 1, "u": 1}
    first, second = evaluation_remarks(alphabet, ["hallö", "öl"], ["hall", ""])
    assert "cannot write characters of these transcripts: 'ö' (2); each is an error" in first
    assert second == "note: 1 of 2 recordings were transcribed as nothing at all"
    assert list(evaluation_remarks(alphabet, ["hello"], ["hollo"])) == []


def test_words_are_symbols_where_they_are_the_unit() -> None:
    assert unknown_symbols(Alphabet(["yes", "no"], "words"), ["yes maybe", "no"]) == {"maybe": 1}


def test_silence_is_told_from_sound_that_was_not_recognised() -> None:
    assert empty_remark("a.wav", np.zeros(800, np.float32)) == "note: a.wav: nothing was recognised; it is silent"
    assert empty_remark("a.wav", np.zeros(0, np.float32)).endswith("it is silent")
    assert "its loudest sample is 0.25 of full scale" in empty_remark("a.wav", np.array([0.1, -0.25], np.float32))
