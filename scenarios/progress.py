"""How a run tells what it is at."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # phase, done, total
STAGE = "decision "  # phases of the decision: the best plan so far is "done", what no plan exceeds "total"


def stage_progress(on_progress: Progress | None) -> Callable[[str, float, float], None] | None:
    """What a stage of the decision calls with its name, the best plan's value and the bound."""
    if on_progress is None:
        return None
    return lambda name, value, bound: on_progress(STAGE + name, round(value), round(bound))
