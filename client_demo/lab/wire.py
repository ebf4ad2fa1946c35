"""What went over the wire, ready to be shown: tokens shortened, and taken apart if they can be."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

from client_demo.language import gettext

SENT = ("authorization", "dpop")
GOT = ("www-authenticate", "guard-freshness", "dpop-nonce", "retry-after")
LONG = 28
_JWT = r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
_TOKEN = re.compile(rf"{_JWT}|[A-Za-z0-9_~-]{{{LONG},}}")
READABLE = {"authorization", "dpop", "access_token", "refresh_token", "id_token", "token"}
NO_ANSWER = 0
_UNSAID = ("values", "ending")

Part = dict[str, Any]


@dataclass
class Entry:
    """One line of the timeline. `lane` is who acts: the app, the thief, the watch, or else.

    Its words are translated when they are shown: `words` with `values`, and how it ended.
    """

    lane: str
    words: str
    tone: str = "plain"
    at: float = field(default_factory=time.time)
    method: str = ""
    url: str = ""
    status: int | None = None
    took: float | None = None
    asked: str = ""
    sent: list[Part] = field(default_factory=list)
    got: list[Part] = field(default_factory=list)
    times: int = 1
    values: dict[str, Any] = field(default_factory=dict)
    ending: str = ""

    def shown(self, number: int) -> dict[str, Any]:
        """As the page gets it, in the visitor's language."""
        words = gettext(self.words, **self.values)
        if self.ending:
            words = f"{words}: {gettext(self.ending)}"
        kept = {name: value for name, value in vars(self).items() if name not in _UNSAID}
        return kept | {"n": number, "words": words}


def exchange(
    http: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
) -> tuple[Entry, dict[str, Any]]:
    """Ask, and note both sides of it; an answer that is no object is an empty one."""
    request = http.build_request(method, url, headers=headers, data=data)
    entry = Entry("app", "", method=method, url=url, sent=_sent(request))
    started = time.perf_counter()
    try:
        answer = http.send(request)
    except httpx.HTTPError:
        entry.took, entry.status = _since(started), NO_ANSWER
        return entry, {}
    entry.took, entry.status = _since(started), answer.status_code
    said = _object(answer)
    entry.asked = answer.headers.get("Guard-Freshness", "").partition(";")[0]
    entry.got = [part(name, answer.headers[name]) for name in GOT if name in answer.headers]
    entry.got += [part(name, value) for name, value in said.items()]
    return entry, said


def part(name: str, value: object) -> Part:
    """A header or a member; tokens in it are shortened, and one that is held is taken apart."""
    text = value if isinstance(value, str) else json.dumps(value)
    shown = {"name": name, "value": _TOKEN.sub(lambda found: shortened(found.group()), text)}
    found = _TOKEN.search(text)
    if found is not None and name in READABLE:
        return {**shown, "token": decoded(found.group())}
    return shown


def shortened(token: str) -> str:
    """Enough of a token to know it again, and not enough to use it."""
    return f"{token[:8]}…{token[-5:]}" if len(token) >= LONG else token


def decoded(token: str | None) -> dict[str, Any] | None:
    """What a token says to whoever holds it; a handle says nothing."""
    parts = (token or "").split(".")
    if len(parts) != 3:  # noqa: PLR2004
        return None
    try:
        header, claims = (_plain(text) for text in parts[:2])
    except ValueError:
        return None
    return {"header": _without_keys(header), "claims": claims}


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def _without_keys(header: dict[str, Any]) -> dict[str, Any]:
    shorten: Callable[[str], str] = shortened
    if isinstance(header.get("jwk"), dict):
        header["jwk"] = {name: shorten(str(value)) for name, value in header["jwk"].items()}
    return header


def _sent(request: httpx.Request) -> list[Part]:
    found = [part(name, request.headers[name]) for name in SENT if name in request.headers]
    body = parse_qsl(request.content.decode())
    return found + [part(name, value) for name, value in body]


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
