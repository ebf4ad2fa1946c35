"""The provider's own HTTP client: it goes to public addresses, and to nowhere else."""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from idp.domain.outbound import Outbound, OutboundRefused, is_public
from idp.sinks import backchannel
from tests.support.canary import Canary, Dials, Names, canary
from tests.support.spec import spec

PUBLIC = "93.184.215.14"
PUBLIC_IPV6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

NOT_PUBLIC = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.1", "0.1.2.3", "10.0.0.1", "172.16.0.1"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.170"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1"),
    *("", "localhost", "not an address"),
]


@pytest.fixture
def there() -> Iterator[Canary]:
    """Somebody else's server."""
    with canary() as made:
        yield made


def refused(outbound: Outbound, url: str) -> str:
    with pytest.raises(OutboundRefused) as caught:
        outbound.get_json(url)
    return str(caught.value)


@spec("SSR-01", "CVE-2026-1180", "CVE-2026-55671", "CVE-2025-67494")
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_connection_is_opened_to_an_address_that_is_not_public(
    there: Canary, address: str
) -> None:
    dials = Dials(there)
    outbound = Outbound(resolve=Names([[address]]), dial=dials)

    refused(outbound, "https://rp.test/jwks.json")

    assert not is_public(address)
    assert dials.dialled == []
    assert there.heard == []


@spec("SSR-01")
def test_a_public_address_is_public() -> None:
    assert is_public(PUBLIC)
    assert is_public(PUBLIC_IPV6)
    assert is_public(f"::ffff:{PUBLIC}")


@spec("SSR-01")
@pytest.mark.parametrize("other", ["127.0.0.1", "::1", "169.254.169.254"])
def test_one_private_address_among_public_ones_is_enough_to_refuse(
    there: Canary, other: str
) -> None:
    dials = Dials(there)
    outbound = Outbound(resolve=Names([[PUBLIC, PUBLIC_IPV6, other]]), dial=dials)

    refused(outbound, "https://rp.test/jwks.json")

    assert dials.dialled == []


@spec("SSR-02")
def test_a_name_that_changes_its_meaning_after_the_check_is_not_followed(there: Canary) -> None:
    names, dials = Names([[PUBLIC], ["127.0.0.1"]]), Dials(there)
    outbound = Outbound(resolve=names, dial=dials)

    refused(outbound, "https://rp.test/jwks.json")

    assert names.asked == [("rp.test", 443)]
    assert dials.dialled == [PUBLIC]


@spec("SSR-03", "BCL-06", "CVE-2026-4366")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@spec("F-16")
def test_a_redirect_is_not_followed(there: Canary, status: int) -> None:
    with canary() as secret_place:
        there.says = lambda peer: peer.sendall(
            f"HTTP/1.1 {status} Go\r\nLocation: {secret_place.url}\r\n\r\n".encode()
        )
        outbound = Outbound(frozenset([there.place, secret_place.place]))

        refused(outbound, there.url)
        answered = outbound.post_form(there.url, {}, deadline=5)

        assert answered.status == status
        assert secret_place.heard == []
        assert len(there.heard) == 2


ODD_ADDRESSES = [
    *("http://rp.test/", "https://rp.test:8443/", "https://rp.test:80/", "https://rp.test:0x1bb/"),
    *("file:///etc/passwd", "gopher://rp.test/", "ftp://rp.test/", "unix:/run/db.sock"),
    *("http+unix://%2frun%2fdb/", "data:application/json,{}", "javascript:alert(1)", "//rp.test/"),
    *("https:///path", "https://", "https://user@rp.test/", "https://user:pass@rp.test/"),
    *("https://@rp.test/", "https://rp.test\\@evil.test/", "http://127.0.0.1#@rp.test"),
    *(
        "https://rp.test\t.evil.test/",
        "https://rp.test\n/",
        "https://rp.test /",
        " https://rp.test",
    ),
    *("https://rp.test/\x00", "https://пример.test/", "https://rp.test:99999/", "https://[::1/"),
]


@spec("SSR-04", "SSR-09", "BCL-06", "CVE-2026-28512")
@pytest.mark.parametrize("url", ODD_ADDRESSES)
def test_an_address_that_is_not_plain_https_is_not_even_looked_up(there: Canary, url: str) -> None:
    names, dials = Names([[PUBLIC]]), Dials(there)

    refused(Outbound(resolve=names, dial=dials), url)

    assert names.asked == []
    assert dials.dialled == []


@spec("SSR-09")
@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost.", "127.0.0.1.", "[::1]"],
)
def test_another_spelling_of_this_machine_is_this_machine(there: Canary, host: str) -> None:
    dials = Dials(there)

    refused(Outbound(dial=dials), f"https://{host}/")

    assert dials.dialled == []


@spec("SSR-09")
@pytest.mark.parametrize("host", ["rp.test", "RP.test", "xn--e1afmkfd.test", "rp.test."])
def test_the_name_that_is_checked_is_the_name_that_is_sent(there: Canary, host: str) -> None:
    port = there.port
    names = Names([["127.0.0.1"]])
    outbound = Outbound(frozenset([f"{host.lower()}:{port}"]), resolve=names)

    outbound.get_json(f"http://{host}:{port}/")

    assert names.asked == [(host.lower(), port)]
    assert f"Host: {host.lower()}:{port}\r\n".encode() in there.heard[0]


@spec("SSR-06")
def test_nothing_of_ours_is_sent_along(there: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    with canary() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://{proxy.place}")

        Outbound(frozenset([there.place])).get_json(there.url)

        assert proxy.heard == []
    lines = there.heard[0].decode().split("\r\n")
    assert lines[0] == "GET /jwks.json HTTP/1.1"
    assert sorted(line.split(":")[0] for line in lines[1:] if line) == [
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Host",
        "User-Agent",
    ]
    assert "Accept-Encoding: identity" in lines


@spec("SSR-07")
def test_every_failure_reads_the_same(there: Canary) -> None:
    there.says = lambda peer: peer.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
    with socket.create_server(("127.0.0.1", 0)) as closing:
        closed = f"127.0.0.1:{closing.getsockname()[1]}"
    open_to_all = Outbound(frozenset([there.place, closed]))
    private = Outbound(resolve=Names([["127.0.0.1"]]))
    nowhere = Outbound(resolve=Names([[]]))

    said = {
        refused(open_to_all, there.url),
        refused(open_to_all, f"http://{closed}/"),
        refused(private, "https://rp.test/"),
        refused(nowhere, "https://rp.test/"),
        refused(private, "gopher://rp.test/"),
    }

    assert said == {"the address could not be reached"}


@spec("SSR-07")
def test_how_long_a_refusal_takes_says_nothing_of_a_port_in_our_network() -> None:
    outbound = Outbound()
    with canary() as listening:
        begun = time.monotonic()
        for port in (443, listening.port):
            refused(outbound, f"https://127.0.0.1:{port}/")

        assert time.monotonic() - begun < 0.5
        assert listening.heard == []


@spec("BCL-06", "SSR-01", "CVE-2026-4874")
def test_a_notice_of_a_sign_out_goes_out_and_not_into_our_network(there: Canary) -> None:
    names, dials = Names([["10.0.0.1"]]), Dials(there)
    inside = Outbound(resolve=names, dial=dials)
    outside = Outbound(frozenset([there.place]))

    kept = backchannel.send("https://rp.test/out", {"logout_token": "x"}, inside)
    sent = backchannel.send(there.url, {"logout_token": "x"}, outside)

    assert (kept.delivered, kept.refused, dials.dialled) == (False, False, [])
    assert sent.delivered
    assert b"POST /jwks.json HTTP/1.1\r\n" in there.heard[0]
