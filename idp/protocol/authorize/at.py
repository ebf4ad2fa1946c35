"""Where an authorization request comes in."""

from enum import Flag, auto


class At(Flag):
    """The endpoints a rule holds at."""

    AUTHORIZE = auto()
    PAR = auto()
