"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import json

import pytest

from rnnapps.tasks.text_generation.pipeline import PIPELINE
from tests.tasks.text_generation.small import write_words
from tests.tasks.walk import Change, Changes, walks


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    long = {"data.source": str(write_words(folder / "long.txt", 2000)), "model.blend": "ngram"}
    (folder / "mixed").mkdir()
    names = ("one.txt", "two.md", "three.md")
    words = [write_words(folder / "mixed" / name, 600, seed=seed).read_text() for seed, name in enumerate(names)]
    records = folder / "records.jsonl"
    records.write_text(json.dumps({"text": words[0], "other": words[1]}))
    prompts = folder / "prompts.txt"
    prompts.write_text("zoo kni\nriver\n")
    page, old = folder / "page.html", folder / "old.txt"
    page.write_text(f"<p>{words[2]}</p>")
    old.write_bytes(words[0].replace("e", "ñ").encode("cp1252"))
    return {
        "data.validation": Change(str(folder / "mixed" / "two.md")),
        "data.hold_out": Change("end", {"data.source": str(folder / "mixed"), "data.pattern": "*.md"}),
        "data.encoding": Change("cp1250", {"data.source": str(old)}),
        "data.markup": Change("keep", {"data.source": str(page)}),
        "model.blend": Change("none", long),
        "model.ngram_order": Change(3, long),
        "model.ngram_megabytes": Change(0.001, long),
        "data.source": Change(str(write_words(folder / "other.txt", 600, seed=1))),
        "data.test": Change(str(write_words(folder / "test.txt", 600, seed=2))),
        "data.pattern": Change("*.md", {"data.source": str(folder / "mixed")}),
        "data.field": Change("other", {"data.source": str(records)}),
        "data.vocabulary": Change(64, {"data.tokens": "subwords"}),
        "data.grow_tokens": Change(0, {"data.tokens": "subwords"}),
        "prompt": Change("river", {"prompt": "zoo"}),
        "prompts": Change(str(prompts), {"prompt": ""}),
        "until": Change("line", {"completions": 3}),
        "min_p": Change(1.0),
        "repetition_penalty": Change(3.0),
        "stop": Change("e"),
    }


test_repeats, test_setting, test_option = walks(PIPELINE)
