"""Defaults of the hints for a cloud's scheduler, as the old SDK has them; of no effect on this computer."""

from __future__ import annotations

DEFAULT_GPU_TYPE = "A100"
DEFAULT_GPU_PROVISIONING_MODE = "SPOT"
DEFAULT_MAX_GPUS_PER_SLIDE = 1
DEFAULT_FLEX_START_MAX_RUN_DURATION_MINUTES = 720
DEFAULT_CPU_PROVISIONING_MODE = "SPOT"
DEFAULT_NODE_ACQUISITION_TIMEOUT_MINUTES = 30
