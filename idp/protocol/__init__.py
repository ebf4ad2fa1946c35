"""What the standards say: `OAuthRequest` in, `Answer` out. Authlib's home; no Flask, no SQL."""
