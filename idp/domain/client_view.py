"""A client as it stood at one version of it: a frozen copy for the hot path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from idp.crypto.pairwise import Sector
from idp.crypto.secrets import Handle
from idp.domain.metadata.profiles import fitting
from idp.domain.metadata.sectors import sector_of
from idp.policies import PolicySet
from idp.store.clients import Client, ClientSecret


@dataclass(frozen=True, slots=True)
class Secret:
    """What we keep of a client's secret."""

    digest: bytes
    sealed: bytes | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client as it stood at one version of it. Properties have the metadata's names."""

    client_id: str
    version: int
    details: Mapping[str, Any]
    policies: tuple[str, ...]
    serves: frozenset[str]
    trusted: bool
    dynamic: bool
    enabled: bool
    secrets: tuple[Secret, ...]
    sector: Sector | None = None

    def sub_of(self, account_id: str) -> str:
        """What this client calls a person: in tokens and notices, and in what it asks of us."""
        return account_id if self.sector is None else self.sector.name_of(account_id)

    def account_of(self, sub: str) -> str:
        """Whom this client means; nobody's account, if it has no such name for anybody."""
        return sub if self.sector is None else self.sector.account_of(sub) or ""

    @property
    def name(self) -> str:
        return str(self.details.get("client_name") or self.client_id)

    @property
    def auth_method(self) -> str:
        return str(self.details["token_endpoint_auth_method"])

    @property
    def profile(self) -> str | None:
        """The profile an operator holds it to: FAPI 2.0 with or without signed messages."""
        return self.details.get("profile")

    @property
    def public(self) -> bool:
        return self.auth_method == "none"

    @property
    def auth_signing_alg(self) -> str | None:
        return self.details.get("token_endpoint_auth_signing_alg")

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        return tuple(self.details.get("redirect_uris", ()))

    @property
    def post_logout_redirect_uris(self) -> tuple[str, ...]:
        return tuple(self.details.get("post_logout_redirect_uris", ()))

    @property
    def grant_types(self) -> frozenset[str]:
        return frozenset(self.details.get("grant_types", ()))

    @property
    def response_types(self) -> frozenset[str]:
        return frozenset(self.details.get("response_types", ()))

    @property
    def scopes(self) -> frozenset[str] | None:
        """The scopes it may ask for; None is every scope."""
        scope = self.details.get("scope")
        return frozenset(scope.split()) if scope else None

    @property
    def native(self) -> bool:
        return self.details.get("application_type") == "native"

    @property
    def id_token_alg(self) -> str:
        return str(self.details.get("id_token_signed_response_alg", "RS256"))

    @property
    def userinfo_alg(self) -> str | None:
        return self.details.get("userinfo_signed_response_alg")

    @property
    def backchannel_logout_uri(self) -> str | None:
        return self.details.get("backchannel_logout_uri")

    @property
    def frontchannel_logout_uri(self) -> str | None:
        return self.details.get("frontchannel_logout_uri")

    @property
    def dpop_bound(self) -> bool:
        """Whether it must prove a key at each token request (RFC 9449 section 5.2)."""
        by_policy = self._binds and not self.certificate_bound
        return self.details.get("dpop_bound_access_tokens") is True or by_policy

    @property
    def certificate_bound(self) -> bool:
        """Whether its tokens work over connections with its certificate only (RFC 8705
        section 3.4).
        """
        return self.details.get("tls_client_certificate_bound_access_tokens") is True

    @property
    def binds_lines(self) -> bool:
        """Whether its refresh tokens follow the key: by policy, and always for public clients,
        whom nothing else would tell from a thief (RFC 9449 section 5).
        """
        return self.public or self._binds

    @property
    def _binds(self) -> bool:
        return PolicySet.named(self.policies).binds

    @property
    def access_policies(self) -> tuple[str, ...]:
        """The policies of its line that hold for each of its access tokens, too."""
        named = PolicySet.named(self.policies).policies
        return tuple(policy.name for policy in named if policy.for_access)

    @property
    def rotates(self) -> bool:
        """Whether its refresh tokens work once: by policy, and always for public clients."""
        return self.public or PolicySet.named(self.policies).rotates


class NoSuchClient(Exception):
    """There is no client of that name."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that registered itself, and the secrets it is shown once."""

    view: ClientView
    secret: Handle | None
    registration_access_token: Handle


def view_of(
    row: Client,
    secrets: Iterable[ClientSecret],
    policies: Iterable[str],
    *,
    admitted: bool = True,
    pairwise_key: bytes,
) -> ClientView:
    """A client as its rows say; `policies` are those of who names none. `admitted` is whether
    the operator still lets in who describes itself at its own address.
    """
    sector = sector_of(row.details)
    return ClientView(
        client_id=row.client_id,
        version=row.version,
        details=MappingProxyType(dict(row.details)),
        policies=tuple(row.policies or fitting(row.details.get("profile"), tuple(policies))),
        serves=frozenset(row.serves),
        trusted=row.trusted,
        dynamic=row.dynamic,
        enabled=row.disabled_at is None and admitted,
        secrets=tuple(Secret(s.digest, s.sealed, s.expires_at) for s in secrets),
        sector=Sector(sector, pairwise_key) if sector is not None else None,
    )
