"""Health, logging, and what else concerns Launchpad itself."""
