"""The production web server (granian), and an end of it that comes when it is asked for."""

import logging
import os
import signal
import threading
import time

from granian.log import logger
from granian.server import MPServer

PATIENCE = 10  # seconds for what is being answered; a long poll and a strict sign-out take 3
REMINDED_EVERY = 0.1


class WebServer(MPServer):
    """granian, which never misses that it is told to stop.

    Its main loop forgets a signal that comes while it replaces a worker, and a worker that
    has just been forked swallows its own signal by the handlers of its parent. So the loop is
    reminded until it has ended, no worker is replaced on the way out, and a fresh worker
    starts without handlers.
    """

    def serve(self, *given: object, **named: object) -> None:
        """Until it is told to stop. That it has many threads is meant: most of them wait for the
        feed on behalf of guards, and do nothing meanwhile.
        """
        logger.addFilter(_is_no_advice)
        super().serve(*given, **named)  # type: ignore[arg-type]

    def startup(self, spawn_target: object, target_loader: object) -> None:
        """As granian does it, with workers that can be ended from their first moment on."""
        os.register_at_fork(after_in_child=_without_handlers)
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]

    def signal_handler_interrupt(self, signum: int = 0, frame: object = None) -> None:
        """SIGTERM or SIGINT."""
        first = not self.interrupt_signal
        super().signal_handler_interrupt(signum, frame)  # type: ignore[no-untyped-call]
        if first:
            threading.Thread(target=self._remind, daemon=True).start()

    def _remind(self) -> None:
        while True:
            self.main_loop_interrupt.set()
            time.sleep(REMINDED_EVERY)

    def _respawn_workers(
        self, workers: list[int], spawn_target: object, target_loader: object, delay: float = 0
    ) -> None:
        if not self.interrupt_signal:
            super()._respawn_workers(workers, spawn_target, target_loader, delay)


def _is_no_advice(record: logging.LogRecord) -> bool:
    return "Python threads" not in str(record.msg)


def _without_handlers() -> None:
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)
