"""The applications that this platform offers."""
