"""The lab: ten ways to end a token, each tried for real, with what went over the wire."""
