"""The rooms of the settings: groups of keys with their defaults and limits, each of which knows
what in it contradicts what.
"""

import ipaddress
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from idp.crypto.authorities import Authorities
from idp.policies import PolicySet

LOOPBACK_NETWORKS: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
PRIVATE_NETWORKS: tuple[str, ...] = (
    *LOOPBACK_NETWORKS,
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
)


class Room(BaseModel, frozen=True, extra="forbid"):
    """A group of settings: frozen, and it knows its own keys."""


class Lifetimes(Room):
    """How long things live, in seconds."""

    access_token: int = Field(300, ge=10, le=3600)
    id_token: int = Field(600, ge=60, le=3600)
    code: int = Field(60, ge=5, le=60)
    sign_in: int = Field(1800, ge=60, le=86400)
    approval: int = Field(600, ge=60, le=900)
    session_idle: int = Field(12 * 3600, ge=60)
    session_absolute: int = Field(7 * 86400, ge=60)
    refresh_idle: int = Field(14 * 86400, ge=60)
    refresh_absolute: int = Field(90 * 86400, ge=60)
    rotation_grace: int = Field(0, ge=0, le=10)
    sliding_interval: int = Field(60, ge=0, le=3600)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.session_idle > self.session_absolute:
            raise ValueError(
                "lifetimes.session_idle is longer than lifetimes.session_absolute; "
                "a session cannot rest longer than it may live"
            )
        if self.refresh_idle > self.refresh_absolute:
            raise ValueError(
                "lifetimes.refresh_idle is longer than lifetimes.refresh_absolute; "
                "a refresh token cannot rest longer than its line may live"
            )
        if self.access_token > self.refresh_idle:
            raise ValueError(
                "lifetimes.access_token is longer than lifetimes.refresh_idle; "
                "the refresh token would be dead before it is needed"
            )
        if self.sliding_interval > self.session_idle:
            raise ValueError(
                "lifetimes.sliding_interval is longer than lifetimes.session_idle; "
                "a session in use could end between two of its uses that are written down"
            )
        return self


class Policies(Room):
    """The policies of whoever names none."""

    resource: tuple[str, ...] = ("short_jwt",)
    client: tuple[str, ...] = ("rotation",)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        PolicySet.for_resource(self.resource)
        PolicySet.for_client(self.client)
        return self


class Registration(Room):
    """Who may register a client by itself (RFC 7591)."""

    mode: Literal["open", "token", "off"] = "token"
    quota: int = Field(20, ge=1)
    unused_kept_days: int = Field(30, ge=1)
    token_endpoint_audience: bool = False


class Throttle(Room):
    """How much one network may try."""

    sign_ins: int = Field(100, ge=10)


class SecondFactor(Room):
    """Who must show a code, or a passkey, beside the password."""

    required: Literal["nobody", "enrolled", "all"] = "enrolled"


class ClientDocuments(Room):
    """Clients that describe themselves at an address of their own."""

    mode: Literal["off", "listed", "any"] = "off"
    hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.mode == "listed" and not self.hosts:
            raise ValueError('client_documents.mode is "listed", and no host is')
        return self


class Dpop(Room):
    """Proofs that a key is held (RFC 9449)."""

    nonce_required: bool = False


class Mtls(Room):
    """Client certificates (RFC 8705): who hands them on, and whose word about them counts."""

    source: Literal["off", "proxy", "server"] = "off"
    header: str = Field("Client-Cert", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    networks: tuple[str, ...] = LOOPBACK_NETWORKS
    origin: str = Field("", pattern=r"^(https://[^/?#@\s]+)?$")
    ca_bundle: Path | None = None

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        if any(ipaddress.ip_network(network).prefixlen == 0 for network in networks):
            raise ValueError("everybody would be believed; name the addresses of your proxies")
        return _networks(networks)

    @field_validator("ca_bundle")
    @classmethod
    def _is_a_bundle(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            Authorities.from_pem(path.read_bytes())
        except OSError:
            raise ValueError(f"{path} cannot be read") from None
        except ValueError:
            raise ValueError(f"{path} has no certificate in PEM form") from None
        return path

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.source == "off" and (self.origin or self.ca_bundle):
            raise ValueError(
                'mtls.source is "off"; say where certificates come from: "proxy" or "server"'
            )
        return self

    def authorities(self) -> Authorities | None:
        """Those who may say which client a certificate is for."""
        return Authorities.from_pem(self.ca_bundle.read_bytes()) if self.ca_bundle else None


class Outbound(Room):
    """Where the provider itself may connect to."""

    allowed: tuple[str, ...] = ()
    ca_bundle: Path | None = None


class Worker(Room):
    """Background work: in the web process, or in `idp worker`."""

    embedded: bool = True
    delivery_max_age_hours: int = Field(24, ge=1)


class Feed(Room):
    """What guards of APIs are told of what ended."""

    max_silence: float = Field(3, ge=0.5, le=60)
    status_list_ttl: int = Field(30, ge=1, le=1800)
    listeners: int = Field(16, ge=1, le=256)


class SignOut(Room):
    """What a sign-out waits for."""

    strict: bool = False


class Signals(Room):
    """Streams of events for apps and security teams (Shared Signals)."""

    default_subjects: Literal["ALL", "NONE"] = "ALL"
    pollers: int = Field(4, ge=1, le=64)


class Server(Room):
    """The production web server."""

    host: str = "127.0.0.1"
    workers: int = Field(1, ge=1, le=64)
    threads: int = Field(4, ge=1, le=64)
    trusted_proxies: int = Field(0, ge=0, le=8)
    proxy_networks: tuple[str, ...] = PRIVATE_NETWORKS

    @field_validator("proxy_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(networks)


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        ipaddress.ip_network(network)
    return networks
