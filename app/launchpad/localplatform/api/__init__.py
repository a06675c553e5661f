"""The REST API of the contract."""
