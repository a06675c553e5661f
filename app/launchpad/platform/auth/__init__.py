"""Profiles of platforms, and the tokens that open them."""
