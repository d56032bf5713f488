"""SIGTERM and Ctrl-C while a run goes on: the step is finished and saved first; a second Ctrl-C ends at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Signals:
    """A context that takes them in; `number` is the first that came, 0 while there was none."""

    def __init__(self) -> None:
        self.number = 0
        self._process = os.getpid()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():  # no other may set handlers
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return  # a process that prepares data; the training ends it
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = self.number or number
