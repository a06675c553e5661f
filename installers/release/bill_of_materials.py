"""What ships, for those who must know: `bill_of_materials.py FOLDER` writes a CycloneDX SBOM and all licences' texts.

Read from the installed environment that a bundle is made of (run it with that environment's Python), and from what
`resources/` brings along.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from launchpad import __version__
from launchpad.system.licences import Licence, packages, shipped


def component(part: Licence, kind: str = "library") -> dict[str, Any]:
    """A part as CycloneDX has it; packages get their package URL."""
    made: dict[str, Any] = {"type": kind, "name": part.name}
    if part.version:
        made["version"] = part.version
    if kind == "library":
        # As the purl specification wants Python's names: lower case, dashes.
        name = re.sub(r"[-_.]+", "-", part.name).lower()
        made["purl"] = f"pkg:pypi/{name}@{part.version}"
        made["bom-ref"] = made["purl"]
    else:
        made["bom-ref"] = f"shipped:{re.sub(r'[^a-z0-9]+', '-', part.name.lower()).strip('-')}"
    made["licenses"] = [{"license": {"name": part.licence}}]
    return made


def document(moment: datetime) -> dict[str, Any]:
    """The SBOM; the same parts at the same moment give the same document."""
    parts = [component(part) for part in packages()] + [component(part, "data") for part in shipped()]
    reference = f"pkg:pypi/pathology-launchpad@{__version__}"
    digest = hashlib.sha256(json.dumps([reference, parts, moment.isoformat()]).encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "component": {
                "type": "application", "name": "pathology-launchpad", "version": __version__, "bom-ref": reference,
                "purl": reference, "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": parts,
        "dependencies": [{"ref": reference, "dependsOn": [part["bom-ref"] for part in parts]}],
    }  # fmt: skip


def texts() -> str:
    """The licences of all parts, one after the other."""
    out = [f"What ships with Launchpad {__version__}, and under which licences\n"]
    for part in [*shipped(), *packages()]:
        out.append(f"{'=' * 100}\n{part.name} {part.version}: {part.licence}\n{'=' * 100}\n{part.text.strip()}\n")
    return "\n".join(out)


def main(folder: Path) -> None:
    """Write both files."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    made = document(moment)
    (folder / f"launchpad-{__version__}-sbom.cdx.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (folder / f"launchpad-{__version__}-licences.txt").write_text(texts(), encoding="utf-8")
    print(f"{len(made['components'])} parts")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
