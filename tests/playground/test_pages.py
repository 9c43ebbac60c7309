"""The files of the pages themselves: small, made here, and asking nobody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnnapps.playground.app import FILES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*FILES.iterdir(), *(ROOT / "rnnapps" / "tasks").glob("*/playground/*")])
TEXTS = [path for path in PAGES if path.suffix not in (".wav", ".mp4")]
SCRIPTS = [path for path in PAGES if path.suffix == ".js"]
NAMESPACE = "http://www.w3.org/2000/svg"
MOST_LINES = 200


def test_there_are_pages() -> None:
    assert len(SCRIPTS) > 6


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert not re.findall(r"(?:https?:)?//[\w-]+\.\w", path.read_text(encoding="utf-8").replace(NAMESPACE, ""))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_never_read_as_html_or_code(path: Path) -> None:
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", path.read_text()
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_exists_and_is_exported(path: Path) -> None:
    for names, source in re.findall(r"^import \{([^}]+)\} from \"([^\"]+)\";$", path.read_text(), re.MULTILINE):
        shared = source.removeprefix("../../files/")
        target = (FILES if source.startswith("../../files/") else path.parent) / shared
        assert target.is_file(), target
        exported = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", target.read_text(), re.MULTILINE)
        wanted = [name.split(" as ")[0].strip() for name in names.split(",")]
        assert set(wanted) <= set(exported), f"{target.name} does not export all of {wanted}"
        used = path.read_text().split(f'from "{source}";', 1)[1]
        assert all(re.search(rf"\b{name.split(' as ')[-1].strip()}\b", used) for name in names.split(",")), (
            "one is not used"
        )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_no_shared_page_names_a_task() -> None:
    tasks = [folder.name for folder in (ROOT / "rnnapps" / "tasks").iterdir() if (folder / "pipeline.py").is_file()]
    assert len(tasks) == 7
    shared = [
        (path.name, task) for path in FILES.iterdir() for task in tasks if re.search(rf"\b{task}\b", path.read_text())
    ]
    assert not shared
