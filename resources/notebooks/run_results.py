import marimo

app = marimo.App(width="medium", app_title="Results of a run")


@app.cell(hide_code=True)
def _(mo, run):
    mo.md(f"""
    # Results of a run

    {run["application"]} {run["version"]} on {run["platform"]}, run `{run["run_id"]}`, submitted {run["submitted_at"]}.
    State: **{run["state"]}**. For research use only, not a diagnostic device.

    Everything below is read from the folder of the run. Change what you like: this file is yours and is never
    overwritten. A newer template is put beside it under another name.
    """)
    return


@app.cell
def _():
    import csv
    import gzip
    import json
    from pathlib import Path

    import marimo as mo
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd
    from matplotlib.path import Path as Outline

    return Outline, Path, csv, gzip, json, mo, np, pd, plt


@app.cell
def _(Path, json):
    # The folder of the run is the next one upwards that holds run.json.
    _here = Path(globals().get("__file__", "notebook.py")).resolve().parent
    folder = next((path for path in (_here, *_here.parents) if (path / "run.json").is_file()), None)
    if folder is None:
        raise FileNotFoundError(f"No run.json in {_here} or above: keep this notebook in the folder of its run.")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return folder, run


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Slides

    What was submitted and what became of it. A file that is missing or damaged says so in `problem`.
    """)
    return


@app.cell
def _(pd, run):
    slides = pd.DataFrame(
        [
            {
                "slide": item["name"],
                "state": item["state"],
                "error": item["error"],
                "tissue": item["metadata"].get("specimen", {}).get("tissue", ""),
                "disease": item["metadata"].get("specimen", {}).get("disease", ""),
                "mpp_um": item["metadata"].get("resolution_mpp"),
                "width_px": item["metadata"].get("width_px"),
                "height_px": item["metadata"].get("height_px"),
                "external_id": item["external_id"],
            }
            for item in run["items"]
        ],
        columns=[
            "slide", "state", "error", "tissue", "disease", "mpp_um", "width_px", "height_px", "external_id",
        ],
    )  # fmt: skip
    slides
    return (slides,)


@app.cell
def _(pd, run):
    files = pd.DataFrame(
        [{"slide": item["name"], **file} for item in run["items"] for file in item["files"]],
        columns=["slide", "artifact", "file", "media_type", "size", "crc32c", "problem"],
    )
    files
    return (files,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Readouts

    The tables of all slides, one data frame for each kind of table in `tables`. `readout` is the one with counts.
    """)
    return


@app.cell
def _(csv, files, folder, pd):
    def read_table(path):
        """A table of results. Lines before the header that begin with # say where it comes from."""
        with path.open(encoding="utf-8", newline="") as text:
            comments = 0
            for line in text:
                if not line.startswith("#"):
                    break
                comments += 1
            separator = ";" if line.count(";") > line.count(",") else ","
        # Not comment="#": a slide's name may hold one.
        return pd.read_csv(
            path, sep=separator, skiprows=comments, keep_default_na=False, na_values=[""], quoting=csv.QUOTE_MINIMAL
        )

    tables = {}
    for _artifact, _group in files[(files["media_type"] == "text/csv") & (files["problem"] == "")].groupby("artifact"):
        _parts = []
        for _row in _group.itertuples():
            _part = read_table(folder / _row.file)
            if "slide" not in _part:
                _part.insert(0, "slide", _row.slide)
            _parts.append(_part)
        tables[_artifact] = pd.concat(_parts, ignore_index=True)

    # An application of another kind may have other columns: then look into `tables`.
    readout = next(
        (table for table in tables.values() if {"class", "nuclei"} <= set(table.columns)),
        pd.DataFrame(columns=["slide", "class", "tissue_area_mm2", "nuclei", "share_percent", "density_per_mm2"]),
    )
    readout.drop(columns="external_id", errors="ignore")
    return readout, tables


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Cells and regions

    Each cell with its class, its place (in pixels of the full resolution) and its measurements; each region of the
    tissue with its area.
    """)
    return


@app.cell
def _(files, folder, gzip, json, np, pd):
    def features(path):
        """The shapes of a GeoJSON file, one after the other."""
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as text:
            head = text.readline()
            if '"features"' in head and head.rstrip().endswith("["):  # one shape a line: little memory
                for line in text:
                    if line.startswith("{"):
                        yield json.loads(line.rstrip().rstrip(","))
                return
        with opened(path, "rt", encoding="utf-8") as text:
            document = json.load(text)
        yield from document["features"] if isinstance(document, dict) else document

    def polygons(geometry):
        """A list of polygons, each a list of rings: the outline, then holes."""
        if geometry["type"] == "Polygon":
            return [geometry["coordinates"]]
        return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else []

    def middle(geometry):
        """The centroid of the largest outline, and of a point the point."""
        if geometry["type"] == "Point":
            return geometry["coordinates"]
        rings = [np.asarray(parts[0], dtype=float) for parts in polygons(geometry)]
        if not rings:
            return np.nan, np.nan
        x, y = max(rings, key=len).T
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        if not cross.sum():
            return x.mean(), y.mean()
        factor = 3 * cross.sum()
        return ((x[:-1] + x[1:]) * cross).sum() / factor, ((y[:-1] + y[1:]) * cross).sum() / factor

    colours = {}
    regions = []
    _cells = []
    _shapes = files[files["media_type"].isin(["application/geo+json", "application/vnd.geo+json"])]
    for _row in _shapes[_shapes["problem"] == ""].itertuples():
        for _feature in features(folder / _row.file):
            _properties = _feature.get("properties") or {}
            _class = _properties.get("classification") or {}
            _name = _class.get("name") or "Unclassified"
            colours.setdefault(_name, tuple(part / 255 for part in _class.get("color") or (150, 150, 150)))
            _measured = _properties.get("measurements") or {}
            if _properties.get("objectType") in ("cell", "detection"):
                _x, _y = middle(_feature.get("nucleusGeometry") or _feature["geometry"])
                _cells.append({"slide": _row.slide, "class": _name, "x": _x, "y": _y, **_measured})
            else:
                regions.append(
                    {
                        "slide": _row.slide,
                        "region": _properties.get("name") or f"{_name} {len(regions) + 1}",
                        "class": _name,
                        "polygons": polygons(_feature["geometry"]),
                        "area_mm2": next(
                            (value for key, value in _measured.items() if key.endswith("Area mm^2")), np.nan
                        ),
                    }
                )
    cells = pd.DataFrame(_cells) if _cells else pd.DataFrame(columns=["slide", "class", "x", "y"])
    cells
    return cells, colours, regions


@app.cell
def _(cells, pd, readout):
    # The readouts and the cells tell of the same cells: where `difference` is not 0, something is missing.
    counts = cells.groupby(["slide", "class"]).size().rename("counted").reset_index()
    _classes = readout[readout["class"] != "All"][["slide", "class", "nuclei"]]
    check = pd.merge(_classes, counts, on=["slide", "class"], how="outer").fillna({"nuclei": 0, "counted": 0})
    check = check.astype({"nuclei": int, "counted": int})
    check["difference"] = check["counted"] - check["nuclei"]
    check
    return check, counts


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Counts and densities by class and region

    A cell belongs to the region that holds the middle of its nucleus. Densities are cells per mm² of the region. Cells
    at the border, outside of the simplified outlines, are in the row “outside”.
    """)
    return


@app.cell
def _(Outline, cells, np, pd, regions):
    def inside(points, parts):
        """Which points lie in these polygons and in none of their holes."""
        found = np.zeros(len(points), dtype=bool)
        for outline, *holes in parts:
            here = Outline(np.asarray(outline)[:, :2]).contains_points(points)
            for hole in holes:
                here &= ~Outline(np.asarray(hole)[:, :2]).contains_points(points)
            found |= here
        return found

    cells["region"] = "outside"
    for _slide, _group in cells.groupby("slide"):
        _points = _group[["x", "y"]].to_numpy()
        for _region in regions:
            if _region["slide"] == _slide:
                cells.loc[_group.index[inside(_points, _region["polygons"])], "region"] = _region["region"]

    _areas = pd.DataFrame(
        [(item["slide"], item["region"], item["area_mm2"]) for item in regions],
        columns=["slide", "region", "area_mm2"],
    )
    by_region = cells.groupby(["slide", "region", "class"]).size().rename("cells").reset_index()
    by_region = by_region.merge(_areas, on=["slide", "region"], how="left")
    by_region["density_per_mm2"] = (by_region["cells"] / by_region["area_mm2"]).round(2)
    by_region
    return (by_region,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Distributions
    """)
    return


@app.cell
def _(cells, mo):
    _numbers = [name for name in cells.select_dtypes("number").columns if name not in ("x", "y")]
    measurement = mo.ui.dropdown(_numbers, value=_numbers[0] if _numbers else None, label="Measurement")
    measurement
    return (measurement,)


@app.cell
def _(cells, colours, measurement, mo, np, plt):
    mo.stop(measurement.value is None, mo.md("The cells of this run have no measurements."))
    _all = cells[measurement.value].dropna()
    _bins = np.linspace(_all.min(), _all.quantile(0.99), 50)
    _figure, _axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for _name, _group in cells.groupby("class"):
        _axes.hist(
            _group[measurement.value].dropna(), _bins, density=True, histtype="step", linewidth=1.8,
            color=colours[_name], label=f"{_name} ({len(_group)})",
        )  # fmt: skip
    _axes.set_xlabel(measurement.value)
    _axes.set_ylabel("density")
    _axes.spines[["top", "right"]].set_visible(False)
    _axes.legend(frameon=False)
    distribution = _figure
    distribution
    return (distribution,)


@app.cell
def _(cells, measurement, mo):
    mo.stop(measurement.value is None)
    cells.groupby(["slide", "class"])[measurement.value].describe().round(2).reset_index()
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## On the slide

    Tissue outlines and cells on the thumbnail.
    """)
    return


@app.cell
def _(mo, slides):
    _names = list(slides["slide"])
    shown = mo.ui.dropdown(_names, value=_names[0] if _names else None, label="Slide")
    shown
    return (shown,)


@app.cell
def _(cells, colours, folder, mo, np, plt, regions, shown, slides):
    mo.stop(shown.value is None, mo.md("There is no slide in this run."))
    _slide = slides[slides["slide"] == shown.value].iloc[0]
    _here = cells[cells["slide"] == shown.value]
    _figure, _axes = plt.subplots(figsize=(8, 8), layout="constrained")
    _width, _height = _slide["width_px"], _slide["height_px"]
    _thumbnail = folder / "notebook" / "thumbnails" / f"{shown.value}.png"
    if _thumbnail.is_file() and _width and _height:
        _axes.imshow(plt.imread(_thumbnail), extent=(0, _width, _height, 0))
    else:
        _axes.set_title("The picture of this slide is not there: the slide was not found on this computer.", fontsize=9)
    for _region in regions:
        if _region["slide"] == shown.value:
            for _ring in (ring for parts in _region["polygons"] for ring in parts):
                _axes.plot(*np.asarray(_ring)[:, :2].T, color=colours[_region["class"]], linewidth=1.2)
    _marker = min(6.0, max(0.2, 12_000 / max(len(_here), 1)))
    for _name, _group in _here.groupby("class"):
        _axes.scatter(_group["x"], _group["y"], s=_marker, color=colours[_name], linewidths=0, label=_name)
    _axes.set_aspect("equal")
    _axes.set_xlim(0, _width or None)
    _axes.set_ylim(_height or None, 0)
    _axes.set_xlabel("pixels of the full resolution")
    if len(_here):
        _axes.legend(markerscale=3, frameon=True, loc="upper right")
    overlay = _figure
    overlay
    return (overlay,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Comparison of slides
    """)
    return


@app.cell
def _(readout):
    comparison = readout.pivot_table(index="slide", columns="class", values="density_per_mm2", observed=True)
    comparison
    return (comparison,)


@app.cell
def _(colours, mo, plt, readout):
    _classes = readout[readout["class"] != "All"]
    mo.stop(_classes.empty, mo.md("The readouts of this run have no classes: see `tables`."))
    _figure, (_left, _right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    _table = _classes.pivot_table(index="slide", columns="class", values="density_per_mm2", sort=False)
    _table.plot.bar(ax=_left, color=[colours.get(name, "grey") for name in _table.columns], legend=False, rot=20)
    _left.set_ylabel("nuclei per mm²")
    _left.set_xlabel("")
    _share = _classes.pivot_table(index="slide", columns="class", values="share_percent", sort=False)
    _share.plot.barh(
        ax=_right, stacked=True, color=[colours.get(name, "grey") for name in _share.columns], width=0.6
    )  # fmt: skip
    _right.set_xlabel("share of nuclei, %")
    _right.set_ylabel("")
    _right.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
    for _axes in (_left, _right):
        _axes.spines[["top", "right"]].set_visible(False)
    compared = _figure
    compared
    return (compared,)


if __name__ == "__main__":
    app.run()
