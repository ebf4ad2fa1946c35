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
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
)
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
from idp.domain.accounts import Account, Credential, label
from idp.domain.codes import CHALLENGE, AlreadySpent, Gone
from idp.domain.login import PASSKEY_ACR, Proof

CHALLENGE_LIVES = timedelta(minutes=5)
SHORTEST_ID, LONGEST_ID = 16, 1023
LONGEST_ANSWER = 32 * 1024
LONGEST_REASON = 200
FAULTS = (WebAuthnException, ValueError, TypeError, KeyError, IndexError)
"""What the library raises for an answer that is wrong, or is no answer."""


class Refused(Exception):
    """The answer of the authenticator is not accepted; why, and whose passkey it was about, is
    for our trail only.
    """

    def __init__(self, reason: str, account_id: str | None = None) -> None:
        super().__init__(reason)
        self.account_id = account_id


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


def finish_login(op: Provider, handle: str, given: object, browser: str, now: datetime) -> Proof:
    """A proof, or `Refused`. The challenge is used up either way (WAN-01)."""
    challenge = _spend(op, handle, "login", browser, None, now)
    answer = _object(given)
    credential = op.accounts.credential(_raw_id(answer))
    if credential is None:
        raise Refused("unknown passkey")
    account = op.accounts.find(credential.account_id)
    if account is None or account.disabled_at is not None:
        raise Refused("no such account, or disabled", credential.account_id)
    if _user_handle(answer) != account.webauthn_handle:
        raise Refused("the passkey names another person", account.id)
    _refuse_frames(answer)
    verified = _verified(op, credential, answer, challenge)
    synced = verified.credential_device_type == "multi_device"
    if synced != credential.backup_eligible or (verified.credential_backed_up and not synced):
        raise Refused("backup eligibility changed", account.id)
    credential.sign_count = verified.new_sign_count
    credential.backed_up = verified.credential_backed_up
    credential.last_used_at = now
    how = "swk" if credential.backup_eligible else "hwk"
    return Proof(account.id, ("pop", "user", "mfa", how), PASSKEY_ACR, now)


def _verified(
    op: Provider, credential: Credential, answer: dict[str, Any], challenge: bytes
) -> VerifiedAuthentication:
    """What the library checks. A counter that did not go forward is refused too: there is a copy
    of this passkey somewhere (WebAuthn section 6.1.1).
    """
    try:
        return webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(op),
            expected_origin=_origin(op),
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
            require_user_verification=True,
        )
    except FAULTS as error:
        raise Refused(_said(error), credential.account_id) from error


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
    given: object,
    *,
    name: str,
    browser: str,
    now: datetime,
) -> Credential:
    """The new passkey, or `Refused`."""
    challenge = _spend(op, handle, "registration", browser, account.id, now)
    answer = _object(given)
    _refuse_frames(answer)
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(op),
            expected_origin=_origin(op),
            require_user_verification=True,
        )
        _refuse_a_key_that_is_none(made.credential_public_key)
    except FAULTS as error:
        raise Refused(_said(error), account.id) from error
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
        name=label(name) or "Passkey",
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


def _object(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Refused("no credential")
    return given


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


def _refuse_a_key_that_is_none(public_key: bytes) -> None:
    """A point that is not on its curve would only be found at the first sign-in."""
    decoded_public_key_to_cryptography(decode_credential_public_key(public_key))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON]


def _refuse_frames(answer: dict[str, Any]) -> None:
    """The library reads `crossOrigin` and ignores it; we refuse it (WAN-02)."""
    response = answer.get("response")
    raw = _bytes(response.get("clientDataJSON") if isinstance(response, dict) else None)
    try:
        client_data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("the client data is not JSON") from error
    if not isinstance(client_data, dict):
        raise Refused("the client data is not an object")
    if client_data.get("crossOrigin") or client_data.get("topOrigin"):
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
