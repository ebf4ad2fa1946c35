"""Start one part of the demo on its own port: `python -m client_demo.serve site 9001`."""

import sys

from granian import Granian
from granian.constants import Interfaces

TARGETS = {"site": "client_demo.site:create_app", "api": "client_demo.api:create_app"}


def main() -> None:
    """One process, a few threads; what an app remembers is in that one process."""
    which, port = sys.argv[1], int(sys.argv[2])
    Granian(
        TARGETS[which],
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=8,
        log_enabled=False,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
