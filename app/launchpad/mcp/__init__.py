"""Launchpad for programs with language models: read-only tools over MCP, the Model Context Protocol."""
