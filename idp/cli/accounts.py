"""`idp account`: people, where they are signed in, and ending that."""

import sys
from collections.abc import Mapping

import click

from idp.cli.frame import Desk, at_desk, json_option, refuse, show, show_one
from idp.domain import password_reset
from idp.domain.accounts import Account, UsernameTaken, WeakPassword
from idp.domain.sign_out import Because, Receipt

BY = "operator"


@click.group()
def account() -> None:
    """People who can sign in."""


@account.command("add")
@click.argument("username")
@click.option("--email", help="Their e-mail address.")
@click.option("--name", help="Their full name.")
@click.option("--claim", multiple=True, metavar="NAME=VALUE", help="Any other standard claim.")
@click.option("--email-verified", is_flag=True, help="The address is known to be theirs.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)
@json_option
def add(
    username: str,
    email: str | None,
    name: str | None,
    claim: tuple[str, ...],
    email_verified: bool,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a person. Without --password-stdin the password is asked for (or left out).

    Example: echo 'a long pass phrase' | idp account add alice --password-stdin
    """
    password = _password(password_stdin)
    claims = _claims(claim)
    claims |= {"name": name} if name else {}
    claims |= {"email": email, "email_verified": email_verified} if email else {}
    with at_desk() as desk:
        try:
            row = desk.op.accounts.create(username, password, claims, desk.now)
        except UsernameTaken:
            raise refuse(f"there is an account {username!r} already") from None
        except WeakPassword as error:
            raise refuse(f"the password is refused: {error.reason}") from None
        except ValueError as error:
            raise refuse(str(error)) from None
        desk.op.events.record("AccountCreated", desk.now, account_id=row.id, by=BY)
        desk.commit()
        show_one(_row(row), as_json=as_json)


@account.command("list")
@json_option
def list_accounts(as_json: bool) -> None:
    """List everybody."""
    with at_desk() as desk:
        show([_row(row) for row in desk.op.accounts.list()], as_json=as_json)


@account.command("disable")
@click.argument("username")
@json_option
def disable(username: str, as_json: bool) -> None:
    """Disable a person: no sign-in, and everything they are signed in to ends now."""
    with at_desk() as desk:
        row = find_account(desk, username)
        desk.op.accounts.disable(row, desk.now)
        desk.op.events.record("AccountDisabled", desk.now, account_id=row.id, by=BY)
        receipt = desk.op.sign_outs.everywhere(row.id, Because("disabled", BY), desk.now)
        desk.settle(receipt)
        _show_receipt(desk, receipt, as_json)


@account.command("enable")
@click.argument("username")
@json_option
def enable(username: str, as_json: bool) -> None:
    """Let a disabled person sign in again."""
    with at_desk() as desk:
        row = find_account(desk, username)
        desk.op.accounts.enable(row, desk.now)
        desk.op.events.record("AccountEnabled", desk.now, account_id=row.id, by=BY)
        desk.commit()
        show_one(_row(row), as_json=as_json)


@account.command("reset-password")
@click.argument("username")
@json_option
def reset_password(username: str, as_json: bool) -> None:
    """Make a link with which a person chooses a new password; it works once, for 15 minutes.

    Nobody but the person chooses a password. Hand the link over in a way that is surely theirs.
    """
    with at_desk() as desk:
        row = find_account(desk, username)
        if row.disabled_at is not None:
            raise refuse(f"the account {username!r} is disabled")
        secret = password_reset.offer(desk.op, row, desk.now)
        desk.op.events.record("PasswordResetOffered", desk.now, account_id=row.id, by=BY)
        desk.commit()
        link = f"{desk.op.rules.issuer}/reset?code={secret}"
        show_one({"link": link, "expires": desk.now + password_reset.LIVES}, as_json=as_json)


@account.command("remove-second-factor")
@click.argument("username")
@json_option
def remove_second_factor(username: str, as_json: bool) -> None:
    """Take a person's authenticator app and recovery codes away, and sign them out everywhere.

    For who has lost the phone and the paper. Be sure who is asking: a password is enough then.
    The person is told on their account page. Prints the receipt.
    """
    with at_desk() as desk:
        row = find_account(desk, username)
        if not desk.op.accounts.second_factors.remove(row.id):
            raise refuse(f"the account {username!r} has no second factor")
        desk.op.events.record("AuthenticatorRemoved", desk.now, account_id=row.id, by=BY)
        why = Because("authenticator_removed", BY)
        receipt = desk.op.sign_outs.everywhere(row.id, why, desk.now)
        desk.settle(receipt)
        _show_receipt(desk, receipt, as_json)


@account.command("sessions")
@click.argument("username")
@json_option
def sessions(username: str, as_json: bool) -> None:
    """Where a person is signed in, and with which apps."""
    with at_desk() as desk:
        rows = [
            {
                "session": row.id,
                "since": row.created_at,
                "last_seen": row.last_seen_at,
                "address": row.address,
                "device": row.user_agent,
                "apps": [p.client_name for p in desk.op.sessions.participations(row.id)],
            }
            for row in desk.op.sessions.of_account(find_account(desk, username).id, desk.now)
        ]
        show(rows, as_json=as_json)


@account.command("sign-out")
@click.argument("username")
@click.option("--session", "session_id", help="Only this session (see `idp account sessions`).")
@click.option("--client", "client_id", help="Only this client, in every browser.")
@json_option
def sign_out(username: str, session_id: str | None, client_id: str | None, as_json: bool) -> None:
    """Sign a person out: everywhere, or as far as the options say. Prints the receipt."""
    why = Because("administrator", BY)
    with at_desk() as desk:
        who = find_account(desk, username).id
        if session_id and client_id:
            receipt = desk.op.sign_outs.app(who, session_id, client_id, why, desk.now)
        elif session_id:
            receipt = desk.op.sign_outs.browser(who, session_id, why, desk.now)
        elif client_id:
            receipt = desk.op.sign_outs.app_everywhere(who, client_id, why, desk.now)
        else:
            receipt = desk.op.sign_outs.everywhere(who, why, desk.now)
        desk.settle(receipt)
        _show_receipt(desk, receipt, as_json)


def find_account(desk: Desk, username: str) -> Account:
    """A person by name or id; a sentence if there is none."""
    row = desk.op.accounts.find_by_username(username) or desk.op.accounts.find(username)
    if row is None:
        raise refuse(f"there is no account {username!r}")
    return row


def _row(row: Account) -> dict[str, object]:
    return {
        "id": row.id,
        "username": row.username,
        "email": row.claims.get("email"),
        "disabled": row.disabled_at,
        "created": row.created_at,
    }


def _password(from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        return None
    answer: str = click.prompt(
        "Password (empty: passkey only)", hide_input=True, default="", show_default=False
    )
    return answer or None


def _claims(pairs: tuple[str, ...]) -> dict[str, object]:
    claims: dict[str, object] = {}
    for pair in pairs:
        name, found, value = pair.partition("=")
        if not found:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--claim")
        claims[name] = value
    return claims


def _show_receipt(desk: Desk, receipt: Receipt | None, as_json: bool) -> None:
    if receipt is None:
        show_one({"receipt": None, "note": "there was nothing to end"}, as_json=as_json)
        return
    lines: list[Mapping[str, object]] = [
        {"what": line.kind, "name": line.name, "state": line.state, "until": line.until}
        for line in desk.op.sign_outs.receipts.lines(receipt.id)
    ]
    if as_json:
        show_one({"receipt": receipt.id, "scope": receipt.scope, "lines": lines}, as_json=True)
        return
    click.echo(f"receipt {receipt.id}: {receipt.scope}, {receipt.reason}")
    show(lines, as_json=False)
