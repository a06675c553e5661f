"""The command line's frame: quick, quiet, and with the exit codes that scripts know."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import typer

from launchpad import __version__, paths
from launchpad.cli import output
from launchpad.cli.errors import guarded
from launchpad.cli.output import complain, plain, print_json, progress_bar, warn
from launchpad.errors import BadInput, Changed, LaunchpadError, SettingsError
from launchpad.platform import ForbiddenException, NotFoundException
from launchpad.progress import Cancelled
from launchpad.settings import load_settings
from terminals import shown_on

HEAVY = {
    "PySide6", "PIL", "alembic", "cv2", "fastapi", "google", "httpx", "jsonschema", "numpy", "openslide", "orjson",
    "pydantic", "pydantic_settings", "pydicom", "qasync", "shapely", "sqlalchemy", "tifffile", "truststore", "uvicorn",
}  # fmt: skip


def launchpad(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launchpad", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.usefixtures("data_dir")
def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); sys.argv = ['launchpad', '--help']\n"
        "from launchpad.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print('\\n', time.perf_counter() - start, *sys.modules, file=sys.stderr)"
    )
    times = []
    for _ in range(3):
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        seconds, *modules = answer.stderr.split()
        times.append(float(seconds))
        assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert min(times) < 1.0
    for group in ("application", "platform", "system", "user", "wsi", "desktop", "self-test"):
        assert group in answer.stdout


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    "group", [[], ["application"], ["application", "run"], ["application", "run", "result"], ["platform"], ["system"]]
)
def test_a_group_without_a_command_prints_its_help(group: list[str]) -> None:
    answer = launchpad(*group)
    assert answer.returncode == 0, answer.stderr
    assert "Usage: launchpad" in answer.stdout
    assert ("--install-completion" in answer.stdout) == (not group)


@pytest.mark.usefixtures("data_dir")
def test_the_version() -> None:
    answer = launchpad("--version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["application", "nothing"],
        ["application", "run", "cancel"],
        ["application", "list", "--format", "xml"],
        ["application", "run", "submit", "he-tme", "x.csv", "--max-gpus-per-slide", "9"],
        ["application", "run", "submit", "he-tme", "x.csv", "--gpu-type", "H100"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    answer = launchpad(*arguments)
    assert answer.returncode == 2
    assert answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.usefixtures("data_dir")
def test_settings_that_do_not_validate_end_with_78_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGNOSTICS_RUN_TIMEOUT", "-1")
    monkeypatch.setenv("LAUNCHPAD_LOG_LEVEL", "LOUD")
    answer = launchpad("application", "list")
    assert answer.returncode == 78
    assert "AIGNOSTICS_RUN_TIMEOUT" in answer.stderr
    assert "LAUNCHPAD_LOG_LEVEL" in answer.stderr
    assert "Correct what stands in the environment." in answer.stderr


def test_settings_that_do_not_validate_are_named_with_their_files(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("AIGNOSTICS_RUN_TIMEOUT=never\n")
    paths.ensure_private(paths.env_file().parent)
    paths.env_file().write_text("LAUNCHPAD_ME_TIMEOUT=-1\n")
    paths.settings_file().write_text('log_level = "LOUD"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    for file in (".env", paths.env_file(), paths.settings_file()):
        assert str(file) in caught.value.advice.removeprefix("Correct what stands in ").removesuffix(".").split(", ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LaunchpadError("x"), 1),
        (BadInput("x"), 2),
        (ValueError("x"), 2),
        (NotFoundException("x", status=404), 2),
        (ForbiddenException("x", status=403), 1),
        (Changed("x"), 3),
        (SettingsError("x"), 78),
        (Cancelled(), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise error

    assert guarded(command) == code
    assert capsys.readouterr().err


def test_ctrl_c_in_a_command_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def waits() -> None:
        raise KeyboardInterrupt

    assert guarded(lambda: app([], standalone_mode=False)) == 130
    assert capsys.readouterr().err == "Cancelled.\n"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFoundException("No run", status=404, subject="7"), "not_found"),
        (ForbiddenException("Not yours", status=403), "access_denied"),
        (LaunchpadError("Failed", advice="Try again."), "failed"),
    ],
)
def test_errors_as_json(
    error: LaunchpadError, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def command() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["launchpad", "application", "list", "--format", "json"])
    guarded(command)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {"error": kind, "message": str(error)}


def test_a_mistake_of_ours_is_put_into_words_and_logged(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyError("oops")

    assert guarded(command) == 1
    shown = capsys.readouterr().err
    assert "KeyError" in shown
    assert "Traceback" not in shown
    log = data_dir / "log" / "command-line.log"
    assert str(log) in shown.replace("\n", "")
    assert "test_frame.py" in log.read_text()


def test_what_is_complained_of_is_part_of_the_one_error_in_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        warn("A note.")
        complain("First.")
        raise LaunchpadError("Failed")

    def ends_with(code: int) -> int:
        complain("First.")
        return code

    assert guarded(fails) == 1
    assert capsys.readouterr().err == "A note.\nFirst.\nError: Failed.\n"
    monkeypatch.setattr(output, "quiet", True)
    assert guarded(fails) == 1
    assert capsys.readouterr().err == "First.\nError: Failed.\n"
    monkeypatch.setattr(sys, "argv", ["launchpad", "--format=json"])
    assert guarded(fails) == 1
    assert json.loads(capsys.readouterr().err) == {"error": "failed", "message": "First. Failed."}
    assert guarded(lambda: ends_with(1)) == 1
    assert json.loads(capsys.readouterr().err) == {"error": "failed", "message": "First."}
    assert guarded(lambda: ends_with(0)) == 0
    assert capsys.readouterr().err == "First.\n"


def test_what_is_not_unicode_is_escaped_in_json_and_no_mistake_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"path": "sl\udce4ide µ"})
    out = capsys.readouterr().out
    assert out.encode()
    assert "µ" in out
    assert json.loads(out) == {"path": "sl\udce4ide µ"}
    assert guarded("sl\udce4ide".encode) == 2
    assert (
        capsys.readouterr().err == "Error: A name or a text is not Unicode: sl�ide. Rename the file, or correct it.\n"
    )


@pytest.mark.usefixtures("data_dir")
def test_what_an_encoding_lacks_is_replaced_in_text_and_escaped_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    monkeypatch.setenv("ROWS_VALUE", "ä→")
    for more, shown in ((), "ä?"), (("--json",), '"ä\\u2192"'):
        answer = subprocess.run(
            [sys.executable, "-m", "launchpad", "system", "config", "get", "ROWS_VALUE", *more],
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert shown in answer.stdout.decode("cp1252").replace("\\u00e4", "ä")


def test_what_python_thinks_of_a_typed_expression_is_not_said() -> None:
    code = "import re; from launchpad.cli import app; app.app = lambda **_: re.compile('[[a]'); app.run()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_no_room_for_the_output_is_said(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "launchpad", "--version"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1), answer.stderr
    assert "Make room" in answer.stderr


def test_text_from_outside_moves_no_cursor() -> None:
    assert plain("a\x1b[2Jb\x07\r\nµ\udcff") == "a�[2Jb�� µ�"


def test_progress_without_a_terminal_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading slides") as progress:
        progress.report(3, 5, "c.svs")
        progress.report(5, 5, "e.svs")
    assert capsys.readouterr().err.splitlines() == ["Reading slides: 5 of 5 slides"]
    with progress_bar("Uploading", unit="bytes") as progress:
        progress.report(1_500_000, 3_000_000)
    assert capsys.readouterr().err.splitlines() == ["Uploading: 1.5 of 3.0 MB"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_progress_in_a_narrow_terminal_is_one_line_with_its_count() -> None:
    import fcntl
    import pty
    import struct
    import termios

    code = (
        "import time\n"
        "from launchpad.cli.output import progress_bar\n"
        "with progress_bar('Reading slides') as progress:\n"
        "    progress.report(3, 12, 'a very long name of a slide ' * 5)\n"
        "    time.sleep(0.5)\n"
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "72"}
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = shown_on(ours)
    assert process.returncode == 0
    lines = [
        line for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())) if line.strip()
    ]
    last = lines[-1]
    assert last.startswith("Reading slides ")
    assert "3 of 12 slides" in last
    assert "a very" in last
    assert "0:00:0" in last
    assert len(last) <= 72


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_asks_first_and_interrupts_then() -> None:
    before = signal.getsignal(signal.SIGINT)
    with progress_bar("Work") as progress:
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 5
        while not progress.cancelled and time.monotonic() < end:
            time.sleep(0.01)
        with pytest.raises(Cancelled):
            progress.check()

        def twice() -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

        with pytest.raises(KeyboardInterrupt):
            twice()
    assert signal.getsignal(signal.SIGINT) is before


def test_progress_works_in_other_threads() -> None:
    seen: list[bool] = []

    def work() -> None:
        with progress_bar("Work") as progress:
            progress.report(1, 1)
            seen.append(progress.cancelled)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
