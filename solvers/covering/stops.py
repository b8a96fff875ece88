"""What ends a covering solve before its proof: the clock, or Ctrl-C."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False, kw_only=True)
class Stoppable:
    """A solve that may be stopped, and is then not repeatable. `began` is by the monotonic clock, as the limit is."""

    began: float
    time_limit_s: float | None
    repeatable: bool = True
    pressed: threading.Event = field(default_factory=threading.Event)

    def _stopped(self) -> bool:
        stop = self.pressed.is_set() or self._seconds_left() == 0.0
        self.repeatable &= not stop
        return stop

    def _seconds_left(self) -> float | None:
        if self.time_limit_s is None:
            return None
        return max(0.0, self.began + self.time_limit_s - time.monotonic())
