"""Texts in JSON lines, chats and tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples
from rnnapps.data.text.documents import read_documents
from rnnapps.data.text.read_as import ReadAs
from rnnapps.data.text.records import has_records, record_texts
from rnnapps.errors import DataError


def texts(name: str, content: str, field: str = "", *, limit: float = 0.0) -> list[str]:
    good = GoodExamples(name, BadExamplesConfig(bad_limit=limit), noun="records")
    found = list(record_texts(name, content, field, good))
    good.finish()
    return found


def test_json_lines_by_the_usual_keys_or_the_one_that_is_named():
    lines = '{"id": 1, "text": "one"}\n\n{"id": 2, "text": "two\\nlines"}\n'
    assert texts("a.jsonl", lines) == ["one", "two\nlines"]
    assert texts("a.jsonl", '{"text": "no", "story": "yes"}', "story") == ["yes"]
    with pytest.raises(DataError, match="line 1 has none of text, content, body, messages; its keys are words"):
        texts("a.jsonl", '{"words": "x"}')
    with pytest.raises(DataError, match=r"line 2 is no JSON.*this is 1 of 2 records"):
        texts("a.jsonl", '{"text": "x"}\n{')


def test_a_chat_is_lines_of_role_and_what_is_said():
    chat = {"messages": [{"role": "user", "content": "How far?"}, {"role": "assistant", "content": "Two stops."}]}
    assert texts("a.jsonl", json.dumps(chat)) == ["user: How far?\nassistant: Two stops."]
    assert texts("a.jsonl", json.dumps({"talk": chat["messages"]}), "talk") == ["user: How far?\nassistant: Two stops."]
    with pytest.raises(DataError, match="has no text 'messages'"):
        texts("a.jsonl", '{"messages": [{"role": "user"}]}', "messages")


def test_a_column_of_a_table():
    assert texts("a.csv", 'id,text\n1,"one, two"\n2,\n3,three\n', "text") == ["one, two", "three"]
    with pytest.raises(DataError, match="has no column 'words'; its columns are id, text"):
        texts("a.csv", "id,text\n1,x\n", "words")
    assert has_records("a.csv.gz", "text") and not has_records("a.csv", "") and not has_records("a.txt", "text")


def test_a_folder_of_code_by_a_pattern(tmp_path: Path):
    for name in ("one.py", "two/three.py", "notes.md", "two/.hidden.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    assert read_documents(str(tmp_path), read_as=ReadAs("*.py")) == ["# one.py\n\n", "# two/three.py\n"]
    assert read_documents(str(tmp_path), read_as=ReadAs("two/*")) == ["# two/three.py\n"]
    with pytest.raises(DataError, match=r"holds no file that \*\.c finds"):
        read_documents(str(tmp_path), read_as=ReadAs("*.c"))


def test_a_file_of_records_is_documents(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    assert read_documents(str(tmp_path / "a.jsonl")) == ["one\n\n", "two"]
