"""What weighs in the frozen bundle: `sizes.py [BUNDLE] [PACKAGE]`. Ends with 1 above the limits."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

BUNDLE_LIMIT = 420e6
PACKAGE_LIMIT = 150e6
SHOWN = 20


def weights(bundle: Path) -> Counter[str]:
    """Bytes by package: the first folder below `_internal`, with the libraries that a wheel brought beside it."""
    found: Counter[str] = Counter()
    for path in bundle.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        parts = path.relative_to(bundle).parts
        if parts[0] == "_internal" and len(parts) > 2:
            name = parts[1].removesuffix(".libs")
            name = f"{name}/{'/'.join(parts[2:4])}" if name == "PySide6" and len(parts) > 4 else name
        else:
            name = "programs" if len(parts) == 1 else "libraries of the system and Python"
        found[name] += path.stat().st_size
    return found


def main(argv: list[str]) -> int:
    """Print the table and hold the limits."""
    bundle = Path(argv[0] if argv else "dist/launchpad")
    if not bundle.is_dir():
        sys.stderr.write(f"{bundle} is no bundle. Run `make freeze` first.\n")
        return 2
    found = weights(bundle)
    total = sum(found.values())
    for name, size in found.most_common(SHOWN):
        sys.stdout.write(f"{size / 1e6:8.1f} MB  {name}\n")
    rest = sum(size for _, size in found.most_common()[SHOWN:])
    sys.stdout.write(
        f"{rest / 1e6:8.1f} MB  the rest\n{total / 1e6:8.1f} MB  unpacked, at most {BUNDLE_LIMIT / 1e6:.0f}\n"
    )
    well = total <= BUNDLE_LIMIT
    for package in map(Path, argv[1:]):
        size = package.stat().st_size
        sys.stdout.write(f"{size / 1e6:8.1f} MB  {package.name}, at most {PACKAGE_LIMIT / 1e6:.0f}\n")
        well = well and size <= PACKAGE_LIMIT
    if not well:
        sys.stderr.write("Too heavy.\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
