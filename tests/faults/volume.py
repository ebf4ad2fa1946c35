"""Many sign-outs and many contention bursts: `make faults VOLUME=100000 BURSTS=3000`.

As many as are asked for on each store, as fast as the provider answers, while its processes
are killed now and then; nothing that was acknowledged may work afterwards.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.history import Recorder
from tests.faults.house import house
from tests.faults.nemesis import Nemesis
from tests.faults.processes import Process
from tests.faults.stock import APIS
from tests.faults.tally import Tally, together

DRIVERS = 2
PAUSE = (10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Volume:
    """What was counted, and how long it took."""

    tally: Tally
    faults: int
    seconds: float

    @property
    def report(self) -> str:
        """The figures."""
        rate = self.tally.acked.total() / self.seconds
        took = f"in {self.seconds:.0f} s, {rate:.0f} a second, with {self.faults} faults"
        return f"{self.tally.report}\n{took}"


def many(store: str, folder: Path, *, count: int, seed: int) -> Volume:
    """So many sign-outs and revocations on a store."""
    recorder = Recorder(folder / "house.jsonl")
    with house(store, folder, seed, recorder, actors=0, nodes=0, apis=APIS) as built:
        drivers = [_driver(built.plan.environ, folder, n, seed) for n in range(DRIVERS)]
        nemesis, over = Nemesis(built, recorder, seed, pause=PAUSE), threading.Event()
        harm = threading.Thread(target=nemesis.until_told, args=(over,))
        try:
            for driver in drivers:
                driver.hear("ready")
            began = time.monotonic()
            harm.start()
            for driver in drivers:
                driver.say(str(-(-count // DRIVERS)))
            tally = together(Tally.read(driver.line()) for driver in drivers)
        finally:
            over.set()
            if harm.ident is not None:
                harm.join()
            for driver in drivers:
                driver.end()
    recorder.close()
    return Volume(tally, nemesis.done, time.monotonic() - began)


def _driver(environ: dict[str, str], folder: Path, number: int, seed: int) -> Process:
    command = ("tests.faults.driver", str(folder / "plan.json"), str(number), str(seed))
    return Process(command, environ, folder / f"driver-{number}.log", speaks=True)
