"""How many files a process may have open."""

from __future__ import annotations

from rnnapps.errors import DataError

__all__ = ["allow_open_files"]

OTHERS = 512
"""Files that are open besides: libraries, pipes, event files."""


def allow_open_files(source: str, count: int) -> None:
    """Raises this process's own limit of open files to what is needed, as far as the system allows.

    Args:
        source: whose files they are.
        count: files that stay open.

    Raises:
        DataError: the system does not allow as many.
    """
    try:
        import resource
    except ImportError:  # there is no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        problem = f"takes {needed:,} open files when kept on disk; a process may have {hard:,}"
        raise DataError(source, problem, "join its files, raise `ulimit -Hn`, or raise --data.memory_megabytes")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
