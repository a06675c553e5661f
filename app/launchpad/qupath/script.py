"""The other way into QuPath: a Groovy script that imports the GeoJSON copies, for versions that read another form."""

from __future__ import annotations

from pathlib import Path

from launchpad import paths

NAME = "Import Launchpad results.groovy"

_SCRIPT = """// Imports the objects that Launchpad left beside each image as GeoJSON.
// Automate > Project scripts, then Run > Run for project. Images that have objects already are left alone.
import qupath.lib.io.PathIO

def project = getProject()
def entry = getProjectEntry()
if (project == null || entry == null) {
    println "Open the project of the run first."
    return
}
def folder = new File(buildFilePath(PROJECT_BASE_DIR, "data", entry.getID()))
def file = ["objects.geojson", "objects.geojson.gz"].collect { new File(folder, it) }.find { it.exists() }
if (file == null) {
    println entry.getImageName() + ": no results to import"
    return
}
if (!getAllObjects(false).isEmpty()) {
    println entry.getImageName() + ": it has objects already, nothing was imported"
    return
}
def type = new File(folder, "image-type.txt")
if (type.exists()) {
    setImageType(type.text.trim())
}
def objects = PathIO.readObjects(file.toPath())
addObjects(objects)
fireHierarchyUpdate()
println entry.getImageName() + ": imported " + objects.size() + " objects"
"""


def write_script(project: Path) -> Path:
    """Write the script into the project; its path."""
    path = project / "scripts" / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    paths.write_atomic(path, _SCRIPT.encode())
    return path
