"""How much processor time a process and all its children have used (Linux only)."""

from pathlib import Path

NANOSECONDS = 1e9


def used_by(root: int) -> float:
    """Seconds of processor time, user and system, of every live thread of the tree."""
    return sum(_of_process(pid) for pid in _tree(root))


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found.extend(int(child) for child in tasks.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _of_process(pid: int) -> float:
    """From schedstat, which counts nanoseconds; the ticks of `stat` are 10 ms long."""
    total = 0.0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0]) / NANOSECONDS
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total
