"""Something held: a passkey (WebAuthn Level 2), also without a user name.

The library checks signatures, origin and the person's presence. What it leaves to us is done
here: a challenge works once, for one ceremony in one browser; the passkey must belong to the
person it names; nothing is accepted from inside a frame of somebody else's page.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.crypto.secrets import Handle
from idp.domain import Provider
from idp.domain.accounts import Account, Credential
from idp.domain.codes import CHALLENGE, AlreadySpent, Gone
from idp.domain.login import PASSKEY_ACR, Proof

CHALLENGE_LIVES = timedelta(minutes=5)
SHORTEST_ID, LONGEST_ID = 16, 1023
LONGEST_ANSWER = 32 * 1024


class Refused(Exception):
    """The answer of the authenticator is not accepted; why is for our trail only."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A question to an authenticator: what to ask, and the handle to bring the answer with."""

    handle: Handle
    options: dict[str, Any]


def begin_login(op: Provider, browser: str, now: datetime) -> Ceremony:
    """Ask for any passkey of this provider; the answer says whose it is."""
    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(op), user_verification=UserVerificationRequirement.REQUIRED
    )
    return _park(op, "login", browser, options.challenge, None, options, now)


def finish_login(
    op: Provider, handle: str, answer: dict[str, Any], browser: str, now: datetime
) -> Proof:
    """A proof, or `Refused`. The challenge is used up either way (WAN-01)."""
    challenge = _spend(op, handle, "login", browser, None, now)
    credential = op.accounts.credential(_raw_id(answer))
    if credential is None:
        raise Refused("unknown passkey")
    account = op.accounts.find(credential.account_id)
    if account is None or account.disabled_at is not None:
        raise Refused("no such account, or disabled")
    if _user_handle(answer) != account.webauthn_handle:
        raise Refused("the passkey names another person")
    _refuse_frames(answer)
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(op),
            expected_origin=_origin(op),
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError) as error:
        raise Refused(type(error).__name__) from error
    synced = verified.credential_device_type == "multi_device"
    if synced != credential.backup_eligible or (verified.credential_backed_up and not synced):
        raise Refused("backup eligibility changed")
    credential.sign_count = verified.new_sign_count
    credential.backed_up = verified.credential_backed_up
    credential.last_used_at = now
    how = "swk" if credential.backup_eligible else "hwk"
    return Proof(account.id, ("pop", "user", "mfa", how), PASSKEY_ACR, now)


def begin_registration(op: Provider, account: Account, browser: str, now: datetime) -> Ceremony:
    """Ask an authenticator to make a passkey for this person, and not a second one."""
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(op),
        rp_name=op.rules.name,
        user_name=account.username,
        user_id=account.webauthn_handle,
        user_display_name=str(account.claims.get("name") or account.username),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=row.credential_id)
            for row in op.accounts.credentials(account.id)
        ],
    )
    return _park(op, "registration", browser, options.challenge, account.id, options, now)


def finish_registration(
    op: Provider,
    account: Account,
    handle: str,
    answer: dict[str, Any],
    *,
    name: str,
    browser: str,
    now: datetime,
) -> Credential:
    """The new passkey, or `Refused`."""
    challenge = _spend(op, handle, "registration", browser, account.id, now)
    _refuse_frames(answer)
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(op),
            expected_origin=_origin(op),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError) as error:
        raise Refused(type(error).__name__) from error
    synced = made.credential_device_type == "multi_device"
    if not SHORTEST_ID <= len(made.credential_id) <= LONGEST_ID:
        raise Refused("the id of the passkey is too short or too long")
    if made.credential_backed_up and not synced:
        raise Refused("backed up, but not eligible for it")
    if op.accounts.credential(made.credential_id) is not None:
        raise Refused("the passkey is known already")
    row = Credential(
        account_id=account.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        backup_eligible=synced,
        backed_up=made.credential_backed_up,
        transports=_transports(answer),
        name=name.strip()[:120] or "Passkey",
        created_at=now,
    )
    op.accounts.add_credential(row)
    return row


def _park(
    op: Provider,
    ceremony: str,
    browser: str,
    challenge: bytes,
    account_id: str | None,
    options: Any,  # noqa: ANN401 - one of the library's two kinds
    now: datetime,
) -> Ceremony:
    details = {
        "ceremony": ceremony,
        "browser": browser,
        "challenge": bytes_to_base64url(challenge),
        "account_id": account_id,
    }
    handle = op.codes.issue(CHALLENGE, details, CHALLENGE_LIVES, now)
    return Ceremony(handle, json.loads(webauthn.options_to_json(options)))


def _spend(
    op: Provider, handle: str, ceremony: str, browser: str, account_id: str | None, now: datetime
) -> bytes:
    try:
        details = op.codes.spend(CHALLENGE, handle, now).details
    except (AlreadySpent, Gone) as error:
        raise Refused("the challenge is over") from error
    if (details["ceremony"], details["browser"], details["account_id"]) != (
        ceremony,
        browser,
        account_id,
    ):
        raise Refused("the challenge was for something else")
    return base64url_to_bytes(details["challenge"])


def _raw_id(answer: dict[str, Any]) -> bytes:
    return _bytes(answer.get("rawId"))


def _user_handle(answer: dict[str, Any]) -> bytes:
    response = answer.get("response")
    return _bytes(response.get("userHandle") if isinstance(response, dict) else None)


def _bytes(value: object) -> bytes:
    if not isinstance(value, str) or not value or len(value) > LONGEST_ANSWER:
        raise Refused("a member is missing")
    try:
        return base64url_to_bytes(value)
    except (ValueError, TypeError) as error:
        raise Refused("a member is not base64url") from error


def _refuse_frames(answer: dict[str, Any]) -> None:
    """The library reads `crossOrigin` and ignores it; we refuse it (WAN-02)."""
    response = answer.get("response")
    raw = _bytes(response.get("clientDataJSON") if isinstance(response, dict) else None)
    try:
        client_data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("the client data is not JSON") from error
    if not isinstance(client_data, dict) or client_data.get("crossOrigin"):
        raise Refused("from inside another page")


def _transports(answer: dict[str, Any]) -> list[str]:
    response = answer.get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    return [str(item)[:32] for item in given[:8]] if isinstance(given, list) else []


def _rp_id(op: Provider) -> str:
    return urlsplit(op.rules.issuer).hostname or ""


def _origin(op: Provider) -> str:
    parts = urlsplit(op.rules.issuer)
    return f"{parts.scheme}://{parts.netloc}"
