"""The operator and the feed."""

from tests.cli.conftest import Operator


def test_the_operator_sees_who_listens_and_has_them_start_over(operator: Operator) -> None:
    api = operator.world.api()
    http = operator.world.http()
    said = http.get("/feed?guard=g1", **api.auth()).json

    (guard,) = operator.reads("feed", "guards")
    renewed = operator.reads("feed", "renew")

    assert (guard["guard"], guard["client"]) == ("g1", api.client_id)
    assert guard["resources"] == ["https://api.test"]
    assert renewed["epoch"] != said["epoch"]
    query = {"guard": "g1", "epoch": said["epoch"], "after": said["to"]}
    assert http.get("/feed", query_string=query, **api.auth()).json["epoch"] == renewed["epoch"]
