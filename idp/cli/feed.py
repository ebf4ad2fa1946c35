"""`idp feed`: the guards of APIs that listen, and where the feed is."""

import click

from idp.cli.frame import at_desk, json_option, show, show_one


@click.group()
def feed() -> None:
    """What the guards of APIs are told of what ended."""


@feed.command("guards")
@json_option
def guards(as_json: bool) -> None:
    """List the guards that listen now, and how far each has come."""
    with at_desk() as desk:
        told = desk.op.sign_outs.feed
        head = told.look()
        rows = [
            {
                "guard": lease.guard,
                "client": lease.client_id,
                "resources": lease.resources,
                "confirmed": lease.confirmed,
                "behind": head.seq - lease.confirmed if lease.epoch == head.epoch else None,
                "until": lease.until,
            }
            for lease in told.leases.live(desk.now)
        ]
        show(rows, as_json=as_json)


@feed.command("renew")
@json_option
def renew(as_json: bool) -> None:
    """Have every guard read the feed from the beginning, as after a restored backup."""
    with at_desk() as desk:
        desk.op.sign_outs.feed.renew_epoch()
        head = desk.op.sign_outs.feed.look()
        desk.op.events.record("FeedRenewed", desk.now, epoch=head.epoch, by="operator")
        desk.commit()
        show_one({"epoch": head.epoch, "head": head.seq}, as_json=as_json)
