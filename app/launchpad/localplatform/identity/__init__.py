"""The identity provider: keys, tokens, and the OAuth endpoints."""
