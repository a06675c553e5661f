"""The object store: the XML API with V4 signatures, on a port of its own."""
