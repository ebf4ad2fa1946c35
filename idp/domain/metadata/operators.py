"""Members that only an operator decides about; no registration reaches them (DCR-04)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.domain.metadata.shapes import InvalidMetadata, boolean, strings, text

OPERATORS_ALONE = ("assertion_audience", "token_exchange", "may_act", "profile")
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant type
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PARTY = ("iss", "sub", "client_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRight:
    """For which APIs a client may exchange tokens (RFC 8693), and whose, besides its own and
    those it is called with.
    """

    resources: tuple[str, ...]
    clients: frozenset[str]
    impersonation: bool

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> "ExchangeRight | None":
        """The client's right, if an operator gave it one."""
        given = details.get("token_exchange")
        if given is None:
            return None
        return cls(
            resources=tuple(given["resources"]),
            clients=frozenset(given["clients"]),
            impersonation=given["impersonation"],
        )


def offered(details: Mapping[str, Any]) -> dict[str, Any]:
    """What a client may say of itself; it can grant itself no privilege (DCR-04)."""
    return {name: value for name, value in details.items() if name not in OPERATORS_ALONE}


def decided(details: Mapping[str, Any]) -> dict[str, Any]:
    """What an operator has said of it, which stays when the client changes the rest."""
    return {name: value for name, value in details.items() if name in OPERATORS_ALONE}


def exchange_right(name: str, value: object) -> dict[str, Any]:
    """`token_exchange`: an object of `resources`, `clients` and `impersonation`."""
    if not isinstance(value, dict) or set(value) - {"resources", "clients", "impersonation"}:
        raise InvalidMetadata(f"{name} has resources, clients and impersonation, and no more")
    resources = strings(f"{name}.resources", value.get("resources", []))
    if not resources:
        raise InvalidMetadata(f"{name} names no resource that tokens may be exchanged for")
    return {
        "resources": resources,
        "clients": strings(f"{name}.clients", value.get("clients", [])),
        "impersonation": boolean(f"{name}.impersonation", value.get("impersonation", False)),
    }


def party(name: str, value: object) -> dict[str, str]:
    """`may_act`: who alone may act for the people of a client (RFC 8693 section 4.4)."""
    if not isinstance(value, dict) or not value or set(value) - set(PARTY):
        raise InvalidMetadata(f"{name} names a party by iss, sub or client_id")
    return {member: text(f"{name}.{member}", said) for member, said in value.items()}
