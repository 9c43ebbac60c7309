"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.tasks.translation.pipeline import PIPELINE
from tests.tasks.translation.sentences import write_pairs
from tests.tasks.walk import Change, Changes, walks


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = write_pairs(folder / "other.tsv", 40, seed=1)
    columns = [line.split("\t") for line in other.read_text().splitlines()]
    left, right, turned = (str(folder / name) for name in ("left.txt", "right.txt", "turned.txt"))
    for file, lines in ((left, [one for one, _ in columns]), (right, [two for _, two in columns])):
        Path(file).write_text("\n".join(lines))
    Path(turned).write_text("\n".join(two for _, two in reversed(columns)))
    odd = folder / "odd.tsv"
    odd.write_text(
        "".join(f"{'Kos ' * 10}{word}\t{word.upper()}\n" for word in ("mul", "tep", "nar")) + other.read_text()
    )
    subwords, beam = {"data.tokens": "subwords"}, {"decoding.beam_width": 3}
    again = {"decoding.beam_width": 1, "sentence": "kos " * 8}
    return {
        "data.source": Change(str(other)),
        "data.target": Change(right, {"data.source": left, "data.target": turned}),
        "data.columns": Change((2, 1), {"data.source": str(other)}),
        "data.validation": Change(str(other)),
        "data.validation_target": Change(right, {"data.validation": left, "data.validation_target": turned}),
        "data.test": Change(str(other)),
        "data.test_target": Change(right, {"data.test": left, "data.test_target": turned}),
        "data.test_references": Change((turned,), {"data.test": left, "data.test_target": right}),
        "data.most_lines": Change(20, {"data.source": str(other)}),
        "data.lowercase": Change(True, {"data.source": str(odd)}),
        "data.source_vocabulary": Change(30, subwords),
        "data.target_vocabulary": Change(30, subwords),
        "data.copied": Change(()),
        "data.longest": Change(15),
        "data.largest_ratio": Change(20.0, {"data.source": str(odd)}),
        "data.grow_tokens": Change(0),
        "model.tie_embeddings": Change(True, {"model.embedding_units": 48}),
        "decoding.beam_width": Change(8),
        "decoding.length_penalty": Change(5.0, beam),
        "decoding.no_repeat": Change(2, beam),
        "predict decoding.no_repeat": Change(2, again),
        "stream decoding.no_repeat": Change(2, again),
        "evaluate tune": Change(True, beam),
        "sentence": Change("tep nar.", {"sentence": "kos mul."}),
        "n_best": Change(2, beam),
    }


test_repeats, test_setting, test_option = walks(PIPELINE)
