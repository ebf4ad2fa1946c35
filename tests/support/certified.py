"""Client certificates as the tests make them, and a client that shows one (RFC 8705)."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from werkzeug.test import TestResponse

from idp.crypto import jose
from idp.crypto.certificate import Certificate, from_der
from tests.support.world import Rp

HEADER = "Client-Cert"
MTLS = {"IDP_MTLS__SOURCE": "proxy", "IDP_MTLS__ORIGIN": "https://mtls.op.test"}


@dataclass(frozen=True)
class Pair:
    """A key, and a certificate for it."""

    key: ec.EllipticCurvePrivateKey
    content: x509.Certificate

    @property
    def pem(self) -> str:
        return self.content.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.content.public_bytes(Encoding.DER)

    @property
    def read(self) -> Certificate:
        return from_der(self.der)

    @property
    def x5t(self) -> str:
        return self.read.x5t

    @property
    def header(self) -> dict[str, str]:
        """As nginx hands it on: `$ssl_client_escaped_cert`."""
        return {HEADER: quote(self.pem, safe="")}

    @property
    def rfc9440(self) -> dict[str, str]:
        return {HEADER: f":{base64.b64encode(self.der).decode()}:"}

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key, as a client registers it."""
        public = self.key.public_key()
        return jose.ECKey.import_key(public).as_dict(private=False) | more

    def x5c(self) -> list[str]:
        return [base64.b64encode(self.der).decode()]


def certificate(
    name: str = "client",
    issuer: Pair | None = None,
    *,
    ca: bool = False,
    days: int = 1,
    extensions: Iterable[x509.ExtensionType] = (),
) -> Pair:
    """A certificate, by an authority or by its own key."""
    key = ec.generate_private_key(ec.SECP256R1())
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Notes, Inc.")
    subject = x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer.content.subject if issuer else subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=days),
    )
    if ca:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True}
        made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    return Pair(key, made.sign(issuer.key if issuer else key, hashes.SHA256()))


def names(*, dns: str = "", uri: str = "", ip: str = "", email: str = "") -> x509.ExtensionType:
    """Other names of a certificate's subject."""
    found: list[x509.GeneralName] = []
    found += [x509.DNSName(dns)] if dns else []
    found += [x509.UniformResourceIdentifier(uri)] if uri else []
    found += [x509.IPAddress(ip_address(ip))] if ip else []
    found += [x509.RFC822Name(email)] if email else []
    return x509.SubjectAlternativeName(found)


@dataclass
class Certified(Rp):
    """A client whose every call goes through the proxy that asks for its certificate."""

    pair: Pair | None = field(default_factory=certificate)
    peer: str = "127.0.0.1"

    @classmethod
    def of(cls, rp: Rp, pair: Pair | None) -> "Certified":
        """The same client, with this certificate or without one."""
        return cls(rp.world, rp.client_id, rp.secret, rp.redirect_uri, pair)

    def post(self, path: str, **form: Any) -> TestResponse:
        """Call an endpoint, with the certificate, and with `headers` besides."""
        headers = self._headers(form.pop("headers", {}))
        form = {k: v for k, v in form.items() if v is not None}
        if self.secret is None:
            form.setdefault("client_id", self.client_id)
        return self.world.http().post(
            path,
            data=form,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": self.peer},
            **self.auth(),
        )

    def userinfo(self, token: str, scheme: str = "Bearer") -> TestResponse:
        """Present a token, with the certificate."""
        headers = self._headers({"Authorization": f"{scheme} {token}"})
        return self.world.http().get(
            "/userinfo", headers=headers, environ_overrides={"REMOTE_ADDR": self.peer}
        )

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return (self.pair.header if self.pair is not None else {}) | more


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
