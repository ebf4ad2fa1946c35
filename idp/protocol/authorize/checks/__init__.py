"""The rules of an authorization request, by subject: one small function each, and none writes.

Nothing that was sent is ever repeated in a description.
"""
