"""The TLS front of a certification run: what it hands on, and what it takes away."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from certify.authority import authority
from certify.front import Malformed, context, read_head
from tests.support.spec import spec
from tests.support.world import World


@spec("RFC 9440 section 2.2")
@pytest.mark.parametrize("name", ["Client-Cert", "CLIENT-CERT", "client_cert", "Client-cert"])
def test_a_certificate_from_outside_is_taken_away(name: str) -> None:
    said = f"GET / HTTP/1.1\r\nHost: op\r\n{name}: :bWFsbG9yeQ==:\r\nAccept: */*\r\n\r\n"

    head = read_head(said.encode(), [(b"Client-Cert", b":b3Vycw==:")])

    assert b"bWFsbG9yeQ==" not in head.lines
    assert head.lines.count(b"Client-Cert: :b3Vycw==:") == 1
    assert b"Accept: */*" in head.lines
    assert head.lines.endswith(b"Connection: close\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 9999999",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Content-Length : 5",
        " folded: yes",
        "no colon",
    ],
)
def test_what_two_servers_could_read_differently_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        read_head(f"POST / HTTP/1.1\r\nHost: op\r\n{line}\r\n\r\n".encode(), [])


def test_the_body_that_follows_is_as_long_as_it_says() -> None:
    assert read_head(b"POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\n", []).length == 12
    assert read_head(b"GET / HTTP/1.1\r\n\r\n", []).length == 0


@spec("RFC 9112 section 7.1")
def test_a_body_in_pieces_is_handed_on_with_its_length() -> None:
    head = read_head(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", [])

    whole = head.whole(b"ab")

    assert head.chunked
    assert b"Transfer-Encoding" not in whole
    assert whole.endswith(b"Content-Length: 2\r\n\r\nab")


@spec("FAPI 2.0 Security Profile section 5.2.2")
def test_the_front_speaks_tls_as_fapi_asks(tmp_path: Path) -> None:
    ours = authority(tmp_path)

    made = context(ours.signs("server", "localhost"), ours.bundle)

    old = [cipher["name"] for cipher in made.get_ciphers() if cipher["protocol"] == "TLSv1.2"]
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert sorted(old) == ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
    assert made.verify_mode == ssl.CERT_OPTIONAL


def test_a_throw_away_authority_signs_for_addresses_and_keeps_its_key(tmp_path: Path) -> None:
    ours = authority(tmp_path)

    pair = ours.signs("server", "localhost", "127.0.0.1")

    made = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    made.verify_directly_issued_by(ours.certificate)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert pair.key.stat().st_mode & 0o077 == 0


def test_a_provider_has_none_of_the_doors_of_a_certification_run(world: World) -> None:
    http = world.http()

    assert [str(rule) for rule in world.app.url_map.iter_rules() if "/test" in str(rule)] == []
    assert http.post("/test/rotate-keys").status_code == 404
    assert http.get("/resource").status_code == 404
