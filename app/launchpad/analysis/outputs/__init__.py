"""The files that an analysis leaves, one module for each kind; all say where they come from."""
