"""Request objects that a client keeps at an address of its own (RFC 9101 section 5.2.2)."""

from collections.abc import Callable
from urllib.parse import urldefrag

from idp.domain.client_view import ClientView
from idp.domain.outbound import Outbound, OutboundRefused

MOST_BYTES = 16 * 1024


class RequestObjects:
    """Fetched anew each time, and only from addresses that were registered (JAR-04).

    `let_go` ends the reading transaction of the request: no database connection is held while
    a client's server takes its time (SSR-08).
    """

    def __init__(self, outbound: Outbound, let_go: Callable[[], None]) -> None:
        self._outbound = outbound
        self._let_go = let_go

    def at(self, uri: str, client: ClientView) -> str | None:
        """What is there now, if the client registered the address, letter for letter."""
        if uri not in client.details.get("request_uris", ()):
            return None
        self._let_go()
        try:
            return self._outbound.get_text(urldefrag(uri).url, MOST_BYTES)
        except OutboundRefused:
            return None
