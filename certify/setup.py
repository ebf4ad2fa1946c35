"""What the certification needs of a provider: its settings, from three words of environment."""

import os
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from certify.authority import Authority, Pair, authority

SUITE = "localhost.emobix.co.uk:8443"


@dataclass(frozen=True, slots=True)
class Setup:
    """Where everything is. CERTIFY_HOST is the suite's host and port, CERTIFY_CA whom it trusts."""

    folder: Path
    name: str = "localhost"
    address: str = "127.0.0.1"
    port: int = 9443
    mtls_port: int = 9444
    inner_port: int = 9442
    suite: str = SUITE
    suite_ca: Path | None = None
    alias: str = "idp"

    @property
    def issuer(self) -> str:
        return f"https://{self.name}:{self.port}"

    @property
    def mtls_origin(self) -> str:
        return f"https://{self.name}:{self.mtls_port}"

    @property
    def base(self) -> str:
        """Where the suite waits for the browser."""
        return f"https://{self.suite}/test/a/{self.alias}"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Our authority, the server's certificate, and those of two clients."""

    ours: Authority
    server: Pair
    clients: tuple[Pair, Pair]


def from_environment(environ: Mapping[str, str] = os.environ) -> Setup:
    """What the operator has said, and the usual otherwise."""
    port = int(environ.get("CERTIFY_PORT", "9443"))
    ca = environ.get("CERTIFY_CA")
    return Setup(
        folder=Path(environ.get("CERTIFY_DIR", "var/certify")).absolute(),
        name=environ.get("CERTIFY_NAME", "localhost"),
        address=environ.get("CERTIFY_ADDRESS", "127.0.0.1"),
        port=port,
        mtls_port=int(environ.get("CERTIFY_MTLS_PORT", str(port + 1))),
        inner_port=int(environ.get("CERTIFY_INNER_PORT", str(port - 1))),
        suite=environ.get("CERTIFY_HOST", SUITE),
        suite_ca=Path(ca).absolute() if ca else None,
        alias=environ.get("CERTIFY_ALIAS", "idp"),
    )


def certificates(setup: Setup) -> Certificates:
    """A new authority for this run, and what it signs."""
    ours = authority(setup.folder / "tls")
    server = ours.signs("server", setup.name, "127.0.0.1")
    bundle = ours.bundle.read_text()
    if setup.suite_ca is not None:
        bundle += setup.suite_ca.read_text()
    trusted(setup).write_text(bundle)
    return Certificates(ours, server, (ours.signs("client"), ours.signs("client2")))


def trusted(setup: Setup) -> Path:
    """Whom this run trusts: our own authority and the suite's."""
    return setup.folder / "tls" / "trusted.pem"


def outbound_bundle(setup: Setup) -> Path:
    """The same, and the authorities of the machine, for clients on public addresses."""
    path = setup.folder / "tls" / "outbound.pem"
    usual = ssl.get_default_verify_paths().cafile
    known = Path(usual).read_text() if usual and Path(usual).exists() else ""
    path.write_text(trusted(setup).read_text() + known)
    return path


def settings(setup: Setup) -> dict[str, str]:
    """The environment of the provider: every switch of the certification, and nothing hidden."""
    return {
        "IDP_ISSUER": setup.issuer,
        "IDP_PORT": str(setup.inner_port),
        "IDP_DATA_DIR": str(setup.folder / "data"),
        "IDP_SECRET": secrets.token_urlsafe(48),
        "IDP_REGISTRATION__MODE": "open",
        "IDP_REGISTRATION__QUOTA": "1000000",
        "IDP_THROTTLE__SIGN_INS": "1000000",
        "IDP_REGISTRATION__TOKEN_ENDPOINT_AUDIENCE": "true",
        "IDP_LEGACY_RESPONSE_TYPES": "true",
        "IDP_OUTBOUND__ALLOWED": setup.suite,
        "IDP_OUTBOUND__CA_BUNDLE": str(outbound_bundle(setup)),
        "IDP_MTLS__SOURCE": "proxy",
        "IDP_MTLS__ORIGIN": setup.mtls_origin,
        "IDP_MTLS__CA_BUNDLE": str(trusted(setup)),
        "IDP_SERVER__TRUSTED_PROXIES": "1",
        "IDP_SERVER__THREADS": "8",
    }
