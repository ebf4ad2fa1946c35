"""The TLS in front of the provider: it ends TLS, and says which certificate a client has shown.

Two ports: one asks nobody for a certificate, the other asks everybody and takes none for an
answer, so that the provider refuses in its own words. The certificate goes on in the header
of RFC 9440, to loopback only; a header of that name from outside is taken away.
"""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from certify.authority import Pair

CIPHERS = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
HEAD_BYTES = 64 * 1024
BODY_BYTES = 256 * 1024
LENGTH = re.compile(rb"[0-9]{1,7}")
PIECE = re.compile(rb"[0-9A-Fa-f]{1,5}")
SECONDS = 30.0
HEADER = b"client-cert"
OURS = {
    HEADER,
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"te",
    b"trailer",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
}
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
AWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Malformed(Exception):
    """This is not a request that can be handed on."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a request as it is handed on, and how much follows it."""

    lines: bytes
    length: int
    chunked: bool = False

    def whole(self, body: bytes) -> bytes:
        """With the body behind it, whose length is said beforehand."""
        if self.chunked:
            return self.lines[:-2] + b"Content-Length: %d\r\n\r\n" % len(body) + body
        return self.lines + body


def context(pair: Pair, trusted: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 with two suites, TLS 1.3, nothing older; with `trusted`, clients are asked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS)
    made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    made.load_cert_chain(pair.certificate, pair.key)
    if trusted is not None:
        made.verify_mode = ssl.CERT_OPTIONAL
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a certificate may vouch for itself
        made.load_verify_locations(trusted)
    return made


async def listen(host: str, port: int, tls: ssl.SSLContext, upstream: int) -> asyncio.Server:
    """Take connections, and hand each request on to a port of loopback."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.TimeoutError, ssl.SSLError):
            async with asyncio.timeout(SECONDS):
                await _one(reader, writer, upstream)
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()

    return await asyncio.start_server(serve, host, port, ssl=tls, limit=HEAD_BYTES)


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
    """One request for each connection: nothing can hide behind the first."""
    try:
        head = read_head(await reader.readuntil(b"\r\n\r\n"), _shown(writer))
        body = await (_chunks(reader) if head.chunked else reader.readexactly(head.length))
    except (Malformed, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        writer.write(REFUSED)
        await writer.drain()
        return
    try:
        near, far = await asyncio.open_connection("127.0.0.1", upstream)
    except OSError:
        writer.write(AWAY)
        await writer.drain()
        return
    far.write(head.whole(body))
    await far.drain()
    while piece := await near.read(HEAD_BYTES):
        writer.write(piece)
        await writer.drain()
    far.close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body in pieces, each behind its length (RFC 9112 section 7.1); no trailers."""
    body = b""
    while True:
        length = (await reader.readuntil(b"\r\n")).partition(b";")[0].strip()
        if not PIECE.fullmatch(length):
            raise Malformed
        piece = await reader.readexactly(int(length, 16) + 2)
        if not piece.endswith(b"\r\n") or len(body) + len(piece) > BODY_BYTES:
            raise Malformed
        if len(piece) == 2:  # noqa: PLR2004 - nothing but the end of the line
            return body
        body += piece[:-2]


def read_head(said: bytes, extra: Iterable[tuple[bytes, bytes]]) -> Head:
    """The head with our own headers in the place of what anybody said under their names."""
    first, *lines = said.removesuffix(b"\r\n\r\n").split(b"\r\n")
    fields = [_field(line) for line in lines]
    lengths = [value for name, value in fields if name == b"content-length"]
    chunks = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    if len(lengths) + len(chunks) > 1 or not all(LENGTH.fullmatch(said) for said in lengths):
        raise Malformed
    if chunks not in ([], [b"chunked"]) or sum(map(int, lengths)) > BODY_BYTES:
        raise Malformed
    known = [line for line, (name, _) in zip(lines, fields, strict=True) if name not in OURS]
    kept = [first, *(line for line in known if b"_" not in line.partition(b":")[0])]
    kept += [name + b": " + value for name, value in (*extra, (b"Connection", b"close"))]
    return Head(b"\r\n".join(kept) + b"\r\n\r\n", sum(map(int, lengths)), bool(chunks))


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a header; one that two servers could read differently is none."""
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip() or line[:1].isspace():
        raise Malformed
    return name.lower(), value.strip()


def _shown(writer: asyncio.StreamWriter) -> list[tuple[bytes, bytes]]:
    """Who is calling, and the certificate as RFC 9440 section 2.1 writes it."""
    peer = str(writer.get_extra_info("peername")[0]).encode()
    found = [(b"X-Forwarded-For", peer), (b"X-Forwarded-Proto", b"https")]
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    if shown:
        found.append((b"Client-Cert", b":" + base64.b64encode(shown) + b":"))
    return found
