from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.tasks.speech_recognition.decoding.symbol_ngram import SymbolNgram, affordable_order


def test_the_table_is_the_model_and_sums_to_one() -> None:
    texts = [np.array([1, 2, 3, 1]), np.array([1, 2, 2]), np.array([3, 3, 1, 2])]
    for order in (1, 2, 3):
        model = SymbolNgram.fit(texts, ids=4, order=order)
        assert model.table.shape == (4 ** (order - 1), 4)
        np.testing.assert_allclose(np.exp(model.table.astype(np.float64)).sum(axis=1), 1.0, atol=1e-5)
    assert np.exp(model.table[4 * 1 + 2]).argmax() in (2, 3, 0)  # what followed 1 2


def test_contexts_are_the_last_symbols() -> None:
    model = SymbolNgram.fit([np.array([1, 2, 3, 1, 2, 3])], ids=4, order=3)
    states = model.initial(2)
    for symbols in ([1, 3], [2, 1], [3, 2]):
        states = model.advance(states, tf.constant(symbols))
    assert states.numpy().tolist() == [2 * 4 + 3, 1 * 4 + 2]
    np.testing.assert_array_equal(model.log_probabilities(states), model.table[[11, 6]])


def test_orders_that_fit() -> None:
    assert affordable_order(16, 4) == 4 and affordable_order(60, 6) == 3 and affordable_order(10_000, 4) == 1
