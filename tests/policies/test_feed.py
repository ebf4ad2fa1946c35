"""What the feed calls things."""

from idp.policies.feed import key
from tests.support.spec import spec


@spec("P4")
def test_a_key_is_sixty_bits_of_a_hash_and_tells_kinds_apart() -> None:
    assert key("sid", "x") == 729113482564622951
    assert key("sid", "x") != key("line", "x")
    assert key("sid", "x") < 2**60
