"""What ships, for who must know: `bill_of_materials.py FOLDER BUNDLE` writes a CycloneDX SBOM and all licences' texts.

Read from the environment that the bundle was made of (run it with that environment's Python, on its system: each has
packages of its own), from what `resources/` brings along, and from the bundle's list of the system's libraries.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from launchpad import __version__
from launchpad.system.licences import Licence, libraries, packages, shipped


def component(part: Licence, kind: str = "") -> dict[str, Any]:
    """A part as CycloneDX has it; packages, which have no other kind, get their package URL."""
    made: dict[str, Any] = {"type": kind or "library", "name": part.name}
    if part.version:
        made["version"] = part.version
    if not kind:
        # As the purl specification wants Python's names: lower case, dashes.
        name = re.sub(r"[-_.]+", "-", part.name).lower()
        made["purl"] = f"pkg:pypi/{name}@{part.version}"
        made["bom-ref"] = made["purl"]
    else:
        made["bom-ref"] = f"{kind}:{re.sub(r'[^a-z0-9]+', '-', part.name.lower()).strip('-')}"
    made["licenses"] = [{"license": {"name": part.licence}}]
    return made


def document(moment: datetime, bundle: Path) -> dict[str, Any]:
    """The SBOM; the same parts at the same moment give the same document."""
    parts = [component(part) for part in packages()] + [component(part, "data") for part in shipped()]
    parts += [component(part, "library") for part in libraries(resources_of(bundle))]
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


def resources_of(bundle: Path) -> Path:
    """Where PyInstaller's folder has our resources."""
    return bundle / "_internal" / "launchpad" / "resources"


def system() -> str:
    """This system and machine, as the installers' names have them."""
    machine = platform.machine().lower()
    name = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    return f"{name}-{'x64' if name == 'windows' and machine == 'amd64' else machine}"


def texts(bundle: Path) -> str:
    """The licences of all parts, one after the other."""
    out = [f"What ships with Launchpad {__version__}, and under which licences\n"]
    for part in [*shipped(), *libraries(resources_of(bundle)), *packages()]:
        out.append(f"{'=' * 100}\n{part.name} {part.version}: {part.licence}\n{'=' * 100}\n{part.text.strip()}\n")
    return "\n".join(out)


def main(folder: Path, bundle: Path) -> None:
    """Write both files."""
    if not resources_of(bundle).is_dir():
        sys.exit(f"{bundle} is no bundle. Run `make freeze` first.")
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    made, stem = document(moment, bundle), f"launchpad-{__version__}-{system()}"
    (folder / f"{stem}-sbom.cdx.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (folder / f"{stem}-licences.txt").write_text(texts(bundle), encoding="utf-8")
    print(f"{len(made['components'])} parts")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
