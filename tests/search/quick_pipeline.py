"""The tiny pipeline with a network that is traced in no time: for searches that train many."""

from __future__ import annotations

import sys
from typing import Any

from rnnapps.cli.pipeline_cli import main
from tests.cli.tiny_pipeline import Config, Letters, Tiny

__all__ = ["QUICK", "Quick"]


class Quick(Tiny):
    """The next letter from the present one alone: a network without recurrence, which is quick to trace."""

    def build_model(self, config: Config, preprocessor: Letters) -> Any:
        import keras

        tokens = keras.Input((None,), dtype="int32", name="tokens")
        embedded = keras.layers.Embedding(3, config.model.units, name="embedding")(tokens)
        logits = keras.layers.Dense(3, dtype="float32", name="logits")(embedded)
        state = keras.Input((1,), name="state_0")
        same = keras.layers.Identity(name="same")(state)
        return keras.Model({"tokens": tokens, "states": [state]}, {"logits": logits, "states": [same]})


QUICK = Quick()

if __name__ == "__main__":
    sys.exit(main(QUICK))
