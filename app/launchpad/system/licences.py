"""What Launchpad is made of, and under which licences: the packages that are installed, and the files that ship."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from launchpad import paths

_TEXTS = ("LICEN", "COPYING", "NOTICE", "AUTHORS")
_OURS = "pathology-launchpad"
_SHIPPED_EXTRA = "'mcp'"  # as the list of the package writes it


@dataclass(frozen=True)
class Licence:
    """A part: its name and version, the licence's name, and its text where the part brings one."""

    name: str
    version: str
    licence: str
    text: str


def shipped() -> list[Licence]:
    """Fonts, icons and the sample slide; in a bundle also its libraries."""
    return [
        Licence("Inter", "4.1", "OFL-1.1", paths.resource("fonts", "OFL.txt").read_text(encoding="utf-8")),
        Licence("Lucide", "1.62", "ISC", paths.resource("icons", "LICENSE").read_text(encoding="utf-8")),
        Licence("OpenSlide's sample slide CMU-1-Small-Region", "", "CC0-1.0",
                paths.resource("LICENSES.md").read_text(encoding="utf-8")),
        *libraries(paths.resource()),
    ]  # fmt: skip


def libraries(resources: Path) -> list[Licence]:
    """Python and the system's libraries in a bundle with these resources; none where Python runs from source."""
    folder = resources / "libraries"
    return [
        Licence(file.stem, "", "see its text", file.read_text(encoding="utf-8", errors="replace"))
        for file in (sorted(folder.iterdir()) if folder.is_dir() else ())
    ]


def packages() -> list[Licence]:
    """The packages that Launchpad needs to run, and those that they need, by name.

    In a bundle without lists of packages those whose lists are there.
    """
    wanted = distributions()
    if len(wanted) <= 1:
        wanted = {item.metadata["Name"].lower(): item for item in metadata.distributions() if item.metadata["Name"]}
    wanted.pop(_OURS, None)
    return [_licence(wanted[key]) for key in sorted(wanted)]


def distributions() -> dict[str, metadata.Distribution]:
    """Launchpad and what a bundle of it holds, by name in lower case with dashes: all it needs, and its extra `mcp`."""
    found, queue = {}, [_OURS]
    while queue:
        name = queue.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system, or an extra that is not installed
        for line in found[key].requires or ():
            requirement, _, marker = line.partition(";")
            if "extra ==" not in marker or (key == _OURS and _SHIPPED_EXTRA in marker):
                queue.append(_name(requirement))
    return found


def _name(requirement: str) -> str:
    end = next((place for place, letter in enumerate(requirement) if letter in " <>=!~[("), len(requirement))
    return requirement[:end].strip()


def _licence(found: metadata.Distribution) -> Licence:
    about = found.metadata
    name = str(about["License-Expression"] or "" if "License-Expression" in about else "")
    if not name:
        classifiers = [line for line in about.get_all("Classifier") or () if line.startswith("License ::")]
        name = ", ".join(line.rpartition(" :: ")[2] for line in classifiers)
    if not name:
        name = str(about["License"] or "" if "License" in about else "").strip().partition("\n")[0][:80]
    texts = []
    for file in found.files or ():
        if ".dist-info" in str(file) and any(file.name.upper().startswith(start) for start in _TEXTS):
            try:
                texts.append(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                continue  # the next file of the package may be readable
    if not texts and "LGPL-3.0" in name:  # Qt's packages bring no text; the one is written upon the other
        texts = [
            paths.resource("licences", file).read_text(encoding="utf-8") for file in ("LGPL-3.0.txt", "GPL-3.0.txt")
        ]
    return Licence(str(about["Name"]), found.version, name or "see its documentation", "\n\n".join(texts))
