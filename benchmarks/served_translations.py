"""Sentences per second of an exported translation model, called in a process of its own, batch by batch.

python -m benchmarks.served_translations saved_models/translation/1 sentences.txt --batches 1 32
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.report import table

__all__ = ["main", "sentences_per_second"]

SIGNATURES = ("serving_default", "greedy")


def sentences_per_second(translate: Callable[[np.ndarray], object], sentences: Sequence[str], batch: int) -> float:
    """Of whole batches, in the order of the sentences; the first batch is called once before the clock runs."""
    whole = len(sentences) // batch * batch
    groups = [np.array(sentences[start : start + batch], object) for start in range(0, whole, batch)]
    translate(groups[0])
    begun = time.perf_counter()
    for group in groups:
        translate(group)
    return whole / (time.perf_counter() - begun)


def main() -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", type=Path, help="a version folder")
    parser.add_argument("sentences", type=Path, help="text file, a sentence a line, or the first column of a table")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32], help="sentences of a request")
    parser.add_argument("--most", type=int, default=256, help="sentences that are translated")
    options = parser.parse_args()
    from rnnapps.export.inference import load_for_inference

    model = load_for_inference(options.export)
    lines = options.sentences.read_text(encoding="utf-8").splitlines()[: options.most]
    sentences = [line.partition("\t")[0] for line in lines]
    rows = []
    for signature in SIGNATURES:

        def translate(group: np.ndarray, signature: str = signature) -> object:
            return model.run(signature, {"sentence": group})

        rates = [sentences_per_second(translate, sentences, batch) for batch in options.batches]
        rows.append([signature, *(f"{rate:.1f}" for rate in rates)])
    print(table(["sentences/s", *(f"batch {batch}" for batch in options.batches)], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
