"""The provider's own web server, on a port of loopback behind the front."""

from granian.constants import Interfaces

from idp.cli.web_server import PATIENCE, WebServer
from idp.settings import load


def main() -> None:
    """Serve until told to stop; the settings come from the environment."""
    settings = load()
    WebServer(
        "certify.web:app",
        address="127.0.0.1",
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.all_threads,
        workers_kill_timeout=PATIENCE,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
