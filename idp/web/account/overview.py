"""The first page of the account, and the profile."""

from flask import redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.profile import ADDRESS, CLAIMS
from idp.web.account import blueprint
from idp.web.account.access import signed_in, to_sign_in
from idp.web.pages import render
from idp.web.wire import commit, now, provider

EDITABLE = tuple(
    name
    for name in CLAIMS
    if name not in ("address", "email_verified", "phone_number_verified", "preferred_username")
)


@blueprint.get("/account")
def overview() -> AnyResponse:
    """Who one is here, and what is going on."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    account = here[1]
    op = provider()
    commit()
    told = _told()
    return render(
        "account/overview.html",
        account=account,
        sessions=op.sessions.of_account(account.id, now()),
        grants=op.grants.of_account(account.id),
        passkeys=op.accounts.credentials(account.id),
        events=[e for e in op.events.of_account(account.id, 20) if e.name in told],
        told=told,
    )


@blueprint.get("/account/profile")
def profile() -> AnyResponse:
    """What apps may learn, when the person lets them."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    return _profile(here[1].claims)


@blueprint.post("/account/profile")
def change_profile() -> AnyResponse:
    """Keep what was typed, if all of it is well-formed."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    account = here[1]
    kept = {n: account.claims[n] for n in account.claims if n not in (*EDITABLE, "address")}
    typed = {name: request.form.get(name, "").strip() for name in EDITABLE}
    address = {part: request.form.get(f"address.{part}", "").strip() for part in ADDRESS}
    typed_address = {part: value for part, value in address.items() if value}
    wanted = {**kept, **typed, "address": typed_address}
    try:
        provider().accounts.set_claims(account, wanted, now())
    except ValueError as error:
        return _profile(wanted, problem=str(error))
    provider().events.record("ProfileChanged", now(), account_id=account.id)
    commit()
    return redirect("/account/profile", 303)


def _profile(claims: dict[str, object], problem: str | None = None) -> AnyResponse:
    labels = {
        "name": gettext("Full name"),
        "given_name": gettext("First name"),
        "family_name": gettext("Last name"),
        "middle_name": gettext("Middle name"),
        "nickname": gettext("Nickname"),
        "gender": gettext("Gender"),
        "email": gettext("E-mail"),
        "phone_number": gettext("Phone"),
        "birthdate": gettext("Birthday"),
        "locale": gettext("Language"),
        "zoneinfo": gettext("Time zone"),
        "profile": gettext("Profile page"),
        "picture": gettext("Picture address"),
        "website": gettext("Website"),
    }
    return render(
        "account/profile.html",
        400 if problem else 200,
        claims=claims,
        labels=labels,
        address_parts={
            "street_address": gettext("Street"),
            "postal_code": gettext("Postal code"),
            "locality": gettext("City"),
            "region": gettext("Region"),
            "country": gettext("Country"),
        },
        problem=problem,
    )


def _told() -> dict[str, str]:
    """The events a person is told of, in words."""
    return {
        "SignedIn": gettext("Signed in"),
        "SignedOut": gettext("Signed out"),
        "PasskeyAdded": gettext("Passkey added"),
        "PasskeyRemoved": gettext("Passkey removed"),
        "PasswordChanged": gettext("Password changed"),
        "ConsentGiven": gettext("App allowed"),
        "ConsentWithdrawn": gettext("App removed"),
        "RefreshTokenReused": gettext("A copied token was used; we ended it"),
        "CodeReplayed": gettext("A copied code was used; we ended what it gave"),
    }
