"""How long numba compiled: the first run on a machine pays for it, later ones read the kernels from disk."""

from __future__ import annotations

from functools import cache

from numba.core import event


@cache
def _timer() -> event.TimingListener:
    timer = event.TimingListener()
    event.register("numba:compile", timer)
    return timer


def watch_compiling() -> None:
    """Start counting; once for the whole process."""
    _timer()


def compile_seconds() -> float:
    """Seconds spent compiling since `watch_compiling`, nested compilations counted once."""
    return round(_timer().duration, 2) if _timer().done else 0.0
