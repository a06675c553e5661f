import marimo

app = marimo.App(width="medium", app_title="From sign-in to download")


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # From sign-in to download

    Slides go to an application, results come back as files. Nothing is submitted before you press the button. Change
    what you like: this file is yours. The applications of the platform on this computer are for research use only, not
    diagnostic devices.
    """)
    return


@app.cell
def _():
    import csv
    from pathlib import Path

    import marimo as mo

    from launchpad import paths, platform
    from launchpad.application import Service
    from launchpad.application.states import has_ended

    arguments = mo.cli_args()  # what follows -- on the command line
    return Path, Service, arguments, csv, has_ended, mo, paths, platform


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Sign in

    On this computer no account is needed. For another platform name its profile (`LAUNCHPAD_PROFILE`) or its address
    (`LAUNCHPAD_API_ROOT`) in the environment: the browser then asks you to sign in.
    """)
    return


@app.cell
def _(Service, mo, platform):
    client = platform.Client()
    service = Service(client)
    me = client.me()
    mo.md(f"Signed in to **{client.profile.name}** as {me.user.name or me.user.email or me.user.id}.")
    return client, service


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Choose an application
    """)
    return


@app.cell
def _(arguments, mo, service):
    _found = [item.application_id for item in service.applications()]
    _first = str(arguments.get("application") or ("he-tme" if "he-tme" in _found else _found[0]))
    application = mo.ui.dropdown(_found, value=_first, label="Application")
    application
    return (application,)


@app.cell
def _(application, mo, service):
    version = service.application_version(application.value)
    mo.vstack(
        [
            mo.md(f"Version **{version.version_number}** makes, for each slide:"),
            mo.md("\n".join(f"- `{item.name}` ({item.mime_type})" for item in version.output_artifacts)),
        ]
    )
    return (version,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Choose slides

    A folder with slides, and what is the same for all of them. A mapping is `<regular expression>:<column>=<value>,…`.
    """)
    return


@app.cell
def _(arguments, mo, paths):
    slides_folder = mo.ui.text(
        str(arguments.get("slides") or paths.resource("sample")), label="Folder of slides", full_width=True
    )
    mapping = mo.ui.text(
        str(arguments.get("mapping") or ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"),
        label="Mapping",
        full_width=True,
    )
    results_folder = mo.ui.text(
        str(arguments.get("results") or paths.results_dir()), label="Folder for the results", full_width=True
    )
    mo.vstack([slides_folder, mapping, results_folder])
    return mapping, results_folder, slides_folder


@app.cell
def _(Path, mapping, service, slides_folder, version):
    prepared = service.prepare(
        [Path(slides_folder.value)], version, mappings=[mapping.value] if mapping.value.strip() else []
    )
    [
        {"slide": item.path.name, "size": item.size, "width": item.width, "height": item.height, "mpp": item.mpp}
        for item in prepared.slides
    ] + [{"left out": item.path.name, "why": item.reason} for item in prepared.rejected]
    return (prepared,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Upload and submit
    """)
    return


@app.cell
def _(mo):
    submit = mo.ui.run_button(label="Upload and submit")
    submit
    return (submit,)


@app.cell
def _(application, arguments, mo, prepared, service, submit, version):
    mo.stop(not (submit.value or arguments.get("submit")), mo.md("*Press “Upload and submit” to go on.*"))
    mo.stop(not prepared.slides, mo.md("*There is no slide to submit.*"))
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft

    _sent = service.upload(prepared.slides, application.value, version.version_number)
    _draft = SubmissionDraft(
        application.value,
        version=version.version_number,
        columns=columns(input_artifact(version).metadata_schema),
        slides=_sent,
        note="from a notebook",
    )
    run_id = service.submit(_draft, version)
    mo.md(f"Submitted run `{run_id}` with {len(_sent)} slide(s).")
    return (run_id,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Download

    Results come as slides finish. You may close the notebook meanwhile: the run goes on, and
    `launchpad application run result download` fetches its results later.
    """)
    return


@app.cell
def _(Path, client, has_ended, mo, results_folder, run_id, service):
    folder = service.application_run_download(run_id, Path(results_folder.value), wait_for_completion=True)
    state = client.run(run_id).details(nocache=True)
    assert has_ended(state)
    mo.md(f"{state.statistics.item_succeeded_count} of {state.statistics.item_count} slide(s) succeeded: `{folder}`")
    return (folder,)


@app.cell
def _(csv, folder):
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as _text:
        summary = list(csv.DictReader(_text))
    summary
    return (summary,)


@app.cell(hide_code=True)
def _(folder, mo):
    mo.md(f"""
    ## Look at them

    - In the window: the run's page, Open in QuPath, Open in Notebook.
    - A notebook on these results: `launchpad notebook --run "{folder}"`
    - A QuPath project: `launchpad application run result download --qupath-project`
    """)
    return


if __name__ == "__main__":
    app.run()
