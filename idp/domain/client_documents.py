"""Clients that say at an address of their own who they are: the address is their client_id
(draft-ietf-oauth-client-id-metadata-document).

Whoever can put a document there is the client; nothing is shared with it, so nothing secret is
taken from it. What was read counts for as long as its server says, within our bounds; what
could not be read is not remembered.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from idp.domain.metadata import InvalidMetadata, checked
from idp.domain.metadata.operators import offered
from idp.domain.outbound import WAIT_FOR_TURN_SECONDS, Outbound, OutboundRefused
from idp.domain.rules import Rules
from idp.store import Json

LONGEST_ID = 255
MOST_BYTES = 5 * 1024
KEPT = timedelta(minutes=5)  # where its server says nothing
LEAST, MOST = timedelta(minutes=1), timedelta(days=1)
MOST_ADDRESSES = 10_000
NO_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
GRANT_TYPES = (
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.I)
_NOT_KEPT = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)\b", re.I)
_JSON = re.compile(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json", re.I)
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")


@dataclass(frozen=True, slots=True)
class Document:
    """What a client says of itself, checked, and until when it need not be read again."""

    details: Json
    until: datetime


def is_address(client_id: str) -> bool:
    """Whether a client_id is an address: no client of ours is named so (DCR-05)."""
    return client_id.startswith("https://")


class ClientDocuments:
    """Reads the documents. One fetch at a time for each address; `let_go` ends the reading
    transaction, for no database connection is held while a client's server takes its time.
    """

    def __init__(self, outbound: Outbound, let_go: Callable[[], None], rules: Rules) -> None:
        self._outbound = outbound
        self._let_go = let_go
        self._rules = rules
        self._fresh: dict[str, datetime] = {}
        self._locks: dict[str, threading.Lock] = {}

    def admits(self, client_id: str) -> bool:
        """Whether the operator lets a client of that address in, and it is one without tricks
        (section 3 of the draft).
        """
        if self._rules.client_documents == "off" or not _sound(client_id):
            return False
        listed = urlsplit(client_id).netloc in self._rules.client_document_hosts
        return listed or self._rules.client_documents == "any"

    def fresh(self, client_id: str, now: datetime) -> bool:
        """Whether what was read last still counts. A clock that was set back knows nothing."""
        until = self._fresh.get(client_id)
        return until is not None and now < until <= now + MOST

    def read(self, client_id: str, now: datetime) -> Document | None:
        """The metadata in the document, checked; None for whatever is not one."""
        self._let_go()
        lock = self._locks.setdefault(client_id, threading.Lock())
        if not lock.acquire(timeout=WAIT_FOR_TURN_SECONDS):
            return None
        try:
            answered = self._outbound.fetch(client_id, MOST_BYTES)
            document = answered.json()
            kept = self._checked(client_id, document, answered.header("content-type"))
        except (OutboundRefused, InvalidMetadata):
            return None
        finally:
            lock.release()
        return Document(kept, now + _life(answered.header))

    def learned(self, client_id: str, document: Document) -> None:
        """It is written down: from now on it counts, as long as it may."""
        if len(self._fresh) >= MOST_ADDRESSES:
            self._fresh.clear()
            self._locks.clear()
        self._fresh[client_id] = document.until

    def _checked(self, client_id: str, document: object, media_type: str) -> Json:
        """Held against the same rules as a registration, and a few of its own (section 4)."""
        if not isinstance(document, dict) or document.get("client_id") != client_id:
            raise InvalidMetadata("client_id is not the address of the document")
        if _JSON.fullmatch(media_type.partition(";")[0].strip()) is None:
            raise InvalidMetadata("the document is not served as JSON")
        if {"client_secret", "client_secret_expires_at"} & document.keys():
            raise InvalidMetadata("a document that anybody can read holds no secret")
        said = {"token_endpoint_auth_method": "none"} | offered(document)
        if said["token_endpoint_auth_method"] in NO_METHODS:
            raise InvalidMetadata("there is no secret to authenticate with")
        uris = said.get("redirect_uris")
        if "application_type" not in said and isinstance(uris, list):
            web = all(isinstance(uri, str) and uri.startswith("https://") for uri in uris)
            said["application_type"] = "web" if web else "native"
        said.pop("sector_identifier_uri", None)  # nobody has asked the sector
        kept = checked(said, loopback=self._rules.loopback_allowed)
        kept["grant_types"] = [name for name in kept["grant_types"] if name in GRANT_TYPES]
        if not kept["redirect_uris"]:
            raise InvalidMetadata("redirect_uris is missing", "invalid_redirect_uri")
        kept["client_name"] = kept["client_name"] or urlsplit(client_id).netloc
        return kept


def _sound(client_id: str) -> bool:
    """https, with a path, and without fragment, user or dot segments, however they are spelled."""
    if not is_address(client_id) or len(client_id) > LONGEST_ID or not _PLAIN.fullmatch(client_id):
        return False
    try:
        parts = urlsplit(client_id)
        _ = parts.port
    except ValueError:
        return False
    if "#" in client_id or "@" in parts.netloc or not parts.hostname or not parts.path:
        return False
    return not {".", ".."} & set(unquote(parts.path).split("/"))


def _life(header: Callable[[str], str]) -> timedelta:
    """How long a document counts: as its server says (RFC 9111), within our bounds."""
    control = header("cache-control")
    if _NOT_KEPT.search(control):
        return LEAST
    said = _MAX_AGE.search(control)
    if said is None:
        return KEPT
    age = header("age")
    passed = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0  # noqa: PLR2004
    return min(MOST, max(LEAST, timedelta(seconds=int(said[1]) - passed)))
