"""How far a sign-out went, and why there was one, as one says it."""

from idp.web.language import gettext


def scope_words(scope: str) -> str:
    """What was ended, as one says it."""
    return {
        "app": gettext("one app in one browser"),
        "browser": gettext("one browser"),
        "everywhere": gettext("everywhere"),
        "elsewhere": gettext("everywhere but one browser"),
        "app_everywhere": gettext("one app everywhere"),
        "device": gettext("one key"),
        "line": gettext("one app's access"),
        "selection": gettext("what an administrator chose"),
    }.get(scope, scope)


def reason_words(reason: str) -> str:
    """Why it was ended, as one says it."""
    return {
        "signed_out": gettext("you signed out"),
        "expired": gettext("its time was over"),
        "administrator": gettext("an administrator did it"),
        "disabled": gettext("the account was disabled"),
        "password_changed": gettext("the password was changed"),
        "password_reset": gettext("the password was set anew"),
        "credential_removed": gettext("a passkey was removed"),
        "authenticator_added": gettext("an authenticator app was added"),
        "authenticator_removed": gettext("the authenticator app was removed"),
        "token_reused": gettext("a copied token was used"),
        "code_replayed": gettext("a copied code was used"),
        "consent_withdrawn": gettext("you removed the app"),
        "revoked": gettext("the app asked for it"),
        "globally_revoked": gettext("a security service asked for it"),
        "other_account": gettext("another person signed in"),
    }.get(reason, reason)
