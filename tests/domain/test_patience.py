"""How long the provider's own HTTP client waits, how much it reads, and for how many at once."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from idp.domain.outbound import MOST_ADDRESSES, Outbound, OutboundBusy, OutboundRefused
from tests.support.canary import HEAD, Canary, Dials, Names, canary
from tests.support.spec import spec

PUBLIC = "93.184.215.14"


@pytest.fixture
def there() -> Iterator[Canary]:
    """Somebody else's server."""
    with canary() as made:
        yield made


def drips(peer: socket.socket) -> None:
    peer.sendall(HEAD)
    for _ in range(100):
        time.sleep(0.1)
        peer.sendall(b" ")


def drips_headers(peer: socket.socket) -> None:
    for byte in HEAD * 3:
        time.sleep(0.1)
        peer.sendall(bytes([byte]))


def hangs(peer: socket.socket) -> None:
    peer.recv(1)


@spec("SSR-05", "BCL-06")
@pytest.mark.parametrize("says", [drips_headers, hangs])
@spec("F-16")
def test_the_deadline_is_for_the_whole_exchange(
    there: Canary, says: Callable[[socket.socket], None]
) -> None:
    there.says = says
    outbound = Outbound(frozenset([there.place]))
    begun = time.monotonic()

    with pytest.raises(OutboundRefused):
        outbound.post_form(there.url, {}, deadline=0.5)

    assert time.monotonic() - begun < 2


@spec("SSR-05", "BCL-06")
@spec("F-16")
def test_a_status_that_came_in_time_counts_though_the_body_never_ends(there: Canary) -> None:
    there.says = drips
    begun = time.monotonic()

    answered = Outbound(frozenset([there.place])).post_form(there.url, {}, deadline=0.5)

    assert answered.status == 200
    assert time.monotonic() - begun < 2


@spec("SSR-05")
def test_the_deadline_is_for_the_tls_handshake_too(there: Canary) -> None:
    there.says = drips
    names, dials = Names([[PUBLIC]]), Dials(there)
    outbound = Outbound(resolve=names, dial=dials)
    begun = time.monotonic()

    with pytest.raises(OutboundRefused):
        outbound.post_form("https://rp.test/", {}, deadline=0.5)

    assert time.monotonic() - begun < 2


@spec("SSR-05")
@spec("F-22")
def test_the_deadline_is_for_the_look_up_too() -> None:
    never = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        never.wait(3)
        return [PUBLIC]

    begun = time.monotonic()
    with pytest.raises(OutboundRefused):
        Outbound(resolve=slow).post_form("https://rp.test/", {}, deadline=0.3)
    took = time.monotonic() - begun
    never.set()

    assert took < 2


@spec("SSR-05")
def test_many_addresses_share_one_time_to_connect() -> None:
    given: list[float] = []

    def filtered(address: str, port: int, seconds: float) -> socket.socket:
        given.append(seconds)
        raise TimeoutError

    many = [f"93.184.215.{n}" for n in range(1, 30)]

    with pytest.raises(OutboundRefused):
        Outbound(resolve=Names([many]), dial=filtered).get_json("https://rp.test/")

    assert len(given) == MOST_ADDRESSES
    assert given[0] <= 2 / MOST_ADDRESSES
    assert max(given) <= 2


TOO_MUCH = {
    "too long": b'{"keys": [' + b" " * 70_000 + b"]}",
    "too deep": b"[" * 20_000 + b"]" * 20_000,
    "a number without end": b'{"keys": ' + b"9" * 10_000 + b"}",
    "not JSON": b"<html>",
    "not UTF-8": b'{"keys": "\xff\xfe"}',
    "compressed": gzip.compress(b'{"keys": []}'),
    "nothing": b"",
}


@spec("SSR-05")
@pytest.mark.parametrize("body", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_body_that_is_not_a_small_json_document_is_refused(there: Canary, body: bytes) -> None:
    there.says = lambda peer: peer.sendall(HEAD + body)

    with pytest.raises(OutboundRefused):
        Outbound(frozenset([there.place])).get_json(there.url)


@spec("BCL-06")
def test_only_the_beginning_of_an_answer_to_a_notice_is_read(there: Canary) -> None:
    there.says = lambda peer: peer.sendall(HEAD + b"x" * 1_000_000)

    answered = Outbound(frozenset([there.place])).post_form(there.url, {}, deadline=5)

    assert answered.status == 200
    assert len(answered.body) == 4096


@spec("SSR-08")
@spec("F-16", "F-22")
def test_those_who_never_answer_are_waited_for_by_few(there: Canary) -> None:
    done = threading.Event()
    there.says = lambda peer: done.wait(5) and None
    outbound = Outbound(frozenset([there.place]), at_once=2)

    def fetch() -> None:
        with pytest.raises(OutboundRefused):
            outbound.get_json(there.url)

    waiting = [threading.Thread(target=fetch, daemon=True) for _ in range(2)]
    for thread in waiting:
        thread.start()
    while len(there.heard) < 2:
        time.sleep(0.01)
    begun = time.monotonic()

    with pytest.raises(OutboundBusy):
        outbound.get_json(there.url)

    assert time.monotonic() - begun < 2
    done.set()
    for thread in waiting:
        thread.join()
