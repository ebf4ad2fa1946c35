"""The events we transmit, in the words of the standards.

OpenID Continuous Access Evaluation Profile 1.0 section 3; OpenID SSF 1.0 section
8.1.4.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from idp.domain.login import ACR_VALUES

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED = f"{_CAEP}session-revoked"
CREDENTIAL_CHANGE = f"{_CAEP}credential-change"
TOKEN_CLAIMS_CHANGE = f"{_CAEP}token-claims-change"
ASSURANCE_LEVEL_CHANGE = f"{_CAEP}assurance-level-change"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"

SUPPORTED = (SESSION_REVOKED, CREDENTIAL_CHANGE, TOKEN_CLAIMS_CHANGE, ASSURANCE_LEVEL_CHANGE)

Event = dict[str, Any]

# What the audit trail calls it: the type of the credential, what became of it, and why.
CREDENTIALS: Mapping[str, tuple[str, str, str]] = {
    "PasswordChanged": ("password", "update", "The password was changed."),
    "PasswordReset": ("password", "update", "The password was set anew."),
    "PasskeyAdded": ("fido2-roaming", "create", "A passkey was added."),
    "PasskeyRemoved": ("fido2-roaming", "delete", "A passkey was removed."),
    "AuthenticatorAdded": ("app", "create", "An authenticator app was added."),
    "AuthenticatorRemoved": ("app", "delete", "The authenticator app was removed."),
}
_REASONS: Mapping[str, str] = {
    "signed_out": "The person signed out.",
    "expired": "The time of the session was over.",
    "administrator": "An administrator ended it.",
    "disabled": "The account was disabled.",
    "password_changed": "The password was changed.",
    "credential_removed": "A credential was removed.",
    "authenticator_added": "An authenticator app was added.",
    "authenticator_removed": "The authenticator app was removed.",
    "token_reused": "A refresh token came back after it was spent.",
    "code_replayed": "An authorization code came back after it was spent.",
    "consent_withdrawn": "The person withdrew their consent.",
    "other_account": "Another person signed in.",
}


def passkey_type(transports: Iterable[str]) -> str:
    """Whether a passkey is a part of the device, or goes from one to another (section 3.3)."""
    return "fido2-platform" if "internal" in transports else "fido2-roaming"


def session_revoked(reason: str, by: str, now: datetime) -> Event:
    """A session is over, or all of a person's (section 3.1)."""
    return _event(_REASONS.get(reason, "The session was ended."), by, now)


def credential_change(name: str, by: str, now: datetime, details: Mapping[str, Any]) -> Event:
    """A credential was made, changed or removed (section 3.3)."""
    kind, change, why = CREDENTIALS[name]
    said: Event = {
        "credential_type": details.get("credential_type", kind),
        "change_type": details.get("change", change),
    }
    return said | _event(why, by, now)


def token_claims_change(claims: Mapping[str, Any], by: str, now: datetime) -> Event:
    """What a token would say of a person is another from now on (section 3.2)."""
    return {"claims": dict(claims)} | _event("What the person may do was changed.", by, now)


def assurance_level_change(
    issuer: str, previous: str, current: str, by: str, now: datetime
) -> Event:
    """A session is worth more than it was, or less (section 3.4). Its levels are the `acr` values
    of this issuer, which is the name of where they come from.
    """
    said: Event = {"namespace": issuer, "current_level": current, "previous_level": previous}
    if {previous, current} <= set(ACR_VALUES):
        more = ACR_VALUES.index(current) > ACR_VALUES.index(previous)
        said["change_direction"] = "increase" if more else "decrease"
    return said | _event("The person proved anew who they are.", by, now)


def _event(why: str, by: str, now: datetime) -> Event:
    return {
        "event_timestamp": int(now.timestamp()),
        "initiating_entity": _entity(by),
        "reason_admin": {"en": why},
    }


def _entity(by: str) -> str:
    """Who began it, in one of four words (section 2)."""
    if by == "person":
        return "user"
    if by == "operator":
        return "admin"
    return "policy" if by == "clock" else "system"
