"""Export to SavedModel, and its verification through the loader that TensorFlow Serving uses.

`saved_model.export` writes, `verify.verify` checks, `inference.load_for_inference` runs, and `artefact` reads the parts
that fine-tuning needs.
"""

from __future__ import annotations

__all__: list[str] = []
