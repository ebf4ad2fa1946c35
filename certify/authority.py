"""A certificate authority for a day, kept in one folder: who trusts it trusts nothing else."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIVES = timedelta(days=30)
NAME = "Throw-away authority of a certification run"
USES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """What it is and where it lives."""

    folder: Path
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def bundle(self) -> Path:
        """The file that whoever trusts it is given."""
        return self.folder / "ca.pem"

    def signs(self, name: str, *addresses: str) -> Pair:
        """A certificate for a server at these addresses, or for a client of this name."""
        key = _key()
        builder = _about(name, self.certificate.subject, key)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(USES), False)
        issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issued_by, False)
        if addresses:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_address(a) for a in addresses]), False
            )
        made = builder.sign(self.key, hashes.SHA256())
        return _kept(self.folder, name, made, key)


def authority(folder: Path) -> Authority:
    """A new authority; what it signs is put beside it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = _key()
    name = f"{NAME} {secrets.token_hex(4)}"  # two of them are never taken for each other
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _about(name, subject, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    signs = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = builder.add_extension(signs, True).sign(key, hashes.SHA256())
    _kept(folder, "ca", made, key)
    return Authority(folder, made, key)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _about(name: str, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIVES)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _address(said: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(said))
    except ValueError:
        return x509.DNSName(said)


def _kept(folder: Path, name: str, made: x509.Certificate, key: rsa.RSAPrivateKey) -> Pair:
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(made.public_bytes(pem))
    pair.key.touch(mode=0o600)
    pair.key.write_bytes(secret)
    return pair
