"""What the mutation tester changes, what it leaves alone, and what it makes of the answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

from tests.mutants.alternatives import without_one
from tests.mutants.forks import Task, run_all
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.noting import NOTE, noting
from tests.mutants.report import Verdict, survivor, table


def changes(source: str) -> list[str]:
    """What stands in place of the changed lines, of all mutants."""
    mutants = mutants_of("a.py", textwrap.dedent(source))
    for mutant in mutants:
        compile(mutant.source, "a.py", "exec")
    return [mutant.after for mutant in mutants]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = (a <= b)"]),
        ("x = a == b", ["x = (a != b)"]),
        ("x = a - b", ["x = (a + b)"]),
        ("x = a and b", ["x = (a or b)"]),
        ("x = not a", ["x = (a)"]),
        ("x = 3", ["x = 4"]),
        ("x = True", ["x = False"]),
        ("x = 'ab'", ["x = ''"]),
        ("x = f'{a}b'", ['x = ""']),
        ("x = a if b else c", ["x = a if (not (b)) else c"]),
        ("x = [a for a in b if a]", ["x = [a for a in b if (not (a))]"]),
        ("x = [a, b]", ["(without a)", "(without b)"]),
        ("x = {a: b}", ["(without a)"]),
        ("x = 'a|b'", ["x = ''", "x = 'b'", "x = 'a'"]),
        ("f(a=b)", ["pass", "f()"]),
        ("x += y", ["pass", "x -= y"]),
        ("self.x = y", ["pass"]),
        ("while a:\n    break", ["while not (a):", "pass"]),
        ("if a is b:\n    raise E('text')", ["if (a is not b):", "pass"]),
        ("def f(a: int = 1):\n    return a", ["def f(a: int = 2):", "return None"]),
        ("if a in ('b', c):\n    d = 1", None),
    ],
)
def test_operators(source: str, expected: list[str] | None) -> None:
    found = changes(source)
    if expected is None:  # a table within a condition
        expected = ["if (a not in ('b', c)):", "(without 'b')", "(without c)", "if a in ('', c):", "d = 2"]
    assert sorted(found) == sorted(expected)


def test_what_no_test_should_pin() -> None:
    assert not changes('''
        """The docstring."""
        from __future__ import annotations
        import os
        __all__ = ["f"]
        Kind = Literal["a", "b"]
        @dataclass(frozen=True)
        class A:
            """Another."""
            x: Literal["a"]
        if TYPE_CHECKING:
            y = 1
        y = ValueError("text of an error")
    ''')
    assert changes("z = zip(a, b, strict=True)") == []


def test_changes_are_spliced_by_bytes_and_lines() -> None:
    (mutant,) = mutants_of("a.py", "é = a +\\\n b  # ü\nc = d\n")
    assert mutant.source == "é = (a - b)  # ü\nc = d\n"
    assert (mutant.line, mutant.before, mutant.after) == (1, "é = a +\\ b # ü", "é = (a - b) # ü")


def test_lines_that_reach_a_mutant() -> None:
    source = textwrap.dedent("""\
        X = 1
        Y = 5
        def f(a=2):
            if a:
                return 3
            return X
        @g(7)
        class A:
            b = 6
            def f(self):
                return g()
    """)
    reach = {mutant.after: set(mutant.reach) for mutant in mutants_of("a.py", source)}
    assert reach["X = 2"] == {4, 5, 6}  # the function that names it
    assert reach["Y = 6"] == {2}
    assert reach["def f(a=3):"] == {4, 5, 6}
    assert reach["if not (a):"] == {4}
    assert reach["return 4"] == {5}
    assert reach["b = 7"] == {11}  # the methods
    assert reach["@g(8)"] == {8, 9, 10, 11}  # all who import the class


def test_alternatives() -> None:
    assert list(without_one("a(b|c)|d")) == ["d", "a(b|c)", "a(c)|d", "a(b)|d"]
    assert not list(without_one("abc")) and not list(without_one("a sentence | with a bar"))


def test_noting_says_which_lines_ran() -> None:
    source = textwrap.dedent('''\
        """Doc."""
        from __future__ import annotations
        def f(a):
            """Doc."""
            if a:
                return 1
            return 2
    ''')
    seen: list[tuple[str, int, bool]] = []
    names = {NOTE: lambda *note: seen.append(note)}
    exec(compile(noting("a.py", source), "a.py", "exec"), names)
    assert seen == [("a.py", 3, True)]
    assert names["f"](0) == 2 and names["f"].__doc__ == "Doc."
    assert seen[1:] == [("a.py", 5, False), ("a.py", 7, False)]


def fork_some() -> None:
    """Prints what becomes of an answer, an endless task, a process that ends, and an error."""
    here = os.getpid()
    tasks = [
        Task("answer", lambda: os.getpid() != here, 20),
        Task("late", lambda: time.sleep(20), 0.2),
        Task("crash", lambda: os._exit(1), 20),
        Task("error", lambda: 1 / 0, 20),
    ]
    print(json.dumps(dict(run_all(tasks, jobs=2))))


def test_tasks_in_forked_processes() -> None:
    """Forked from an interpreter of its own: this one may have threads, which a fork would lose."""
    program = "from tests.mutants.test_mutations import fork_some; fork_some()"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(answer.stdout)
    assert (found["answer"], found["late"], found["crash"]) == (True, "timeout", "crash")
    assert "ZeroDivisionError" in found["error"]["error"]


def test_table_of_a_killed_and_a_surviving_mutant() -> None:
    mutant = Mutant("a.py", 3, "x < y", "x <= y", "", frozenset())
    assert survivor(mutant).splitlines() == ["a.py:3", "  - x < y", "  + x <= y"]
    (row,) = (
        line for line in table([Verdict(mutant, "test_a"), Verdict(mutant, "")], 1).splitlines() if "a.py" in line
    )
    assert row.split() == ["a.py", "2", "1", "1", "50.0%"]
