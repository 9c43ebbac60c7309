"""Loads TensorFlow without its greetings."""

from __future__ import annotations

import os
import sys
import tempfile

__all__ = ["load_tensorflow"]


def load_tensorflow() -> None:
    """Imports Keras and TensorFlow; what they write to standard error meanwhile is shown only if the import fails.

    TensorFlow's native code announces its settings on file descriptor 2 before any log level applies.
    """
    if "keras" in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            import keras
        except BaseException:
            os.dup2(kept, 2)
            captured.seek(0)
            sys.stderr.write(captured.read().decode("utf-8", errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    keras.config.disable_interactive_logging()
