"""`idp policies`, `idp role`: how tokens end, and what people may do at an API."""

import click

from idp.cli.compare import compare
from idp.cli.frame import Desk, at_desk, json_option, refuse, show, show_one
from idp.domain.accounts import Account
from idp.policies import POLICIES, Asks, Ends, Policy

ENDS = {
    Ends.AT_ONCE: "at once",
    Ends.FEED: "as soon as guards hear of it",
    Ends.AT_EXPIRY: "when it expires",
    Ends.PARTNER: "as the policy beside it",
}
ASKS = {
    Asks.NOTHING: "nobody",
    Asks.STATUS_LIST: "a signed list, fetched now and then",
    Asks.FEED: "the feed, in the API's own memory",
    Asks.LIST: "the list of good tokens",
    Asks.PROVIDER: "the provider",
}


@click.group()
def policies() -> None:
    """The ten policies: how tokens live, and how a sign-out ends them."""


@policies.command("list")
@json_option
def list_policies(as_json: bool) -> None:
    """List them, each with its promise."""
    show([_row(policy) for policy in POLICIES.values()], as_json=as_json)


@policies.command("show")
@click.argument("name")
@json_option
def show_policy(name: str, as_json: bool) -> None:
    """Show one: what it is, who may name it, what contradicts it, who uses it now."""
    policy = POLICIES.get(name)
    if policy is None:
        raise refuse(f"there is no policy {name!r}; there are {', '.join(POLICIES)}")
    with at_desk() as desk:
        row = _row(policy) | {
            "what": " ".join((type(policy).__doc__ or "").split()),
            "contradicts": sorted(
                {*policy.excludes, *(p.name for p in POLICIES.values() if name in p.excludes)}
            ),
            "clients": [c.name for c in desk.op.clients.list() if name in c.policies],
            "resources": [r.identifier for r in desk.op.resources.list() if name in r.policies],
        }
        show_one(row, as_json=as_json)


policies.add_command(compare)


@click.group()
def role() -> None:
    """What people may do at an API whose policy is `session_state`."""


@role.command("set")
@click.argument("username")
@click.argument("resource")
@click.argument("roles", nargs=-1)
@click.option("--permission", multiple=True, help="A permission; may repeat.")
@json_option
def set_roles(
    username: str, resource: str, roles: tuple[str, ...], permission: tuple[str, ...], as_json: bool
) -> None:
    """Say what somebody may do at an API. It counts from their next call on.

    Example: idp role set alice https://api.example.com editor --permission notes.write
    """
    with at_desk() as desk:
        account = _person(desk, username)
        if desk.op.resources.find(resource) is None:
            raise refuse(f"there is no resource {resource!r}")
        held = desk.op.resources.roles.set(
            account.id, resource, roles=roles, permissions=permission, now=desk.now
        )
        desk.op.events.record(
            "RolesChanged",
            desk.now,
            account_id=account.id,
            resource=resource,
            roles=list(held.roles),
            permissions=list(held.permissions),
            by="operator",
        )
        desk.commit()
        show_one(
            {
                "username": username,
                "resource": resource,
                "roles": list(held.roles),
                "permissions": list(held.permissions),
            },
            as_json=as_json,
        )


@role.command("list")
@click.argument("username")
@json_option
def list_roles(username: str, as_json: bool) -> None:
    """List what somebody may do, API by API."""
    with at_desk() as desk:
        rows = [
            {"resource": row.resource, "roles": row.roles, "permissions": row.permissions}
            for row in desk.op.resources.roles.of_account(_person(desk, username).id)
        ]
        show(rows, as_json=as_json)


def _person(desk: Desk, username: str) -> Account:
    found = desk.op.accounts.find_by_username(username)
    if found is None:
        raise refuse(f"there is no account {username!r}")
    return found


def _row(policy: Policy) -> dict[str, object]:
    whose = (("client", policy.for_lines), ("resource", policy.for_access))
    return {
        "name": policy.name,
        "named_by": [word for word, may in whose if may],
        "asks": ASKS[policy.asks],
        "ends": ENDS[policy.ends],
        "summary": policy.summary,
    }
