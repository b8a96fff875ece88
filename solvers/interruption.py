"""Ctrl-C heard without an exception: an exception may come up at any place, also where it gets lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

GLANCE_S = 0.2  # how often a waiting program looks whether Ctrl-C was pressed; some systems tell only then
Answer = TypeVar("Answer")
_listening: list[threading.Event] = []  # the innermost last; one inside another tells the outer one


@contextmanager
def ctrl_c() -> Iterator[threading.Event]:
    """The event says whether Ctrl-C was pressed inside; only the main thread hears it."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    _listening.append(pressed)
    try:
        yield pressed
    finally:
        _listening.pop()
        signal.signal(signal.SIGINT, before)
        if pressed.is_set() and _listening:
            _listening[-1].set()


def stopping() -> bool:
    """Whether Ctrl-C was pressed since the surrounding `ctrl_c` began to listen: long work looks here between steps."""
    return bool(_listening) and _listening[-1].is_set()


def stoppable(work: Callable[[], Answer], stop: Callable[[], object]) -> tuple[Answer, bool]:
    """What the work answers, and whether Ctrl-C stopped it. Only the main thread hears Ctrl-C, so another one works."""
    if threading.current_thread() is not threading.main_thread():
        return work(), False
    with ctrl_c() as pressed, ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        while not running.done():
            wait([running], GLANCE_S)
            if pressed.is_set():
                stop()
        return running.result(), pressed.is_set()
