"""Signing, hashing, proving: pure functions over bytes; no clock, no network."""
