"""The analysis engine behind the applications of the embedded platform.

Rule-based image analysis without a trained model: tissue, nuclei, cells, readouts. For research use only, not a
diagnostic device. Nothing heavy is imported here.
"""

ENGINE_NAME = "launchpad-engine"
ENGINE_VERSION = "0.1.0"
NOTICE = "For research use only, not a diagnostic device."
