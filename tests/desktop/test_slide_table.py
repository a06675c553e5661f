"""The slide table: model, undo, paste, and editing by mouse and keys in its view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from launchpad.application.columns import Column
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.desktop.models.slide_edits import BadValue
from launchpad.desktop.models.slide_roles import Role
from launchpad.desktop.models.slide_status import READY, SET_MPP
from launchpad.desktop.models.slide_table import FIRST_COLUMN, INCLUDE, MPP, SIZE, SLIDE, SlideTableModel
from launchpad.desktop.pages.wizard.table_view import SlideTableView

# The offscreen platform says so whenever a list opens.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)

TISSUES = ("BLADDER", "BONE", "BREAST", "LIVER", "LUNG")
DISEASES = ("BREAST_CANCER", "LUNG_CANCER")
COLUMNS = (
    Column("tissue", ("specimen", "tissue"), "Tissue", True, TISSUES, None),
    Column("disease", ("specimen", "disease"), "Disease", True, DISEASES, None),
    Column("staining_method", ("staining_method",), "Staining method", True, ("H&E",), None),
    Column("remark", ("remark",), "Remark", False, (), None),
)
TISSUE, DISEASE, STAIN, REMARK = range(FIRST_COLUMN, FIRST_COLUMN + 4)


def make_slide(number: int, **changes: object) -> Slide:
    values: dict[str, object] = {
        "path": Path(f"/slides/{number}.svs"),
        "files": (Path(f"/slides/{number}.svs"),),
        "external_id": f"/slides/{number}.svs",
        "format": "SVS",
        "size": 1_900_000 + number,
        "width": 2220,
        "height": 2967,
        "mpp": 0.499,
        "mpp_origin": "file",
        "id": f"slide-{number}",
    }
    return Slide(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def draft() -> SubmissionDraft:
    return SubmissionDraft("he-tme", "0.1.0", COLUMNS)


@pytest.fixture
def stack(qapp: object) -> QUndoStack:
    return QUndoStack()


@pytest.fixture
def model(draft: SubmissionDraft, stack: QUndoStack) -> SlideTableModel:
    made = SlideTableModel(draft, stack)
    made.add([make_slide(0), make_slide(1, mpp=None, mpp_origin=""), make_slide(2), make_slide(3)])
    return made


@pytest.fixture
def view(qtbot: QtBot, model: SlideTableModel) -> SlideTableView:
    made = SlideTableView(model)
    qtbot.addWidget(made)
    made.resize(1100, 500)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.setFocus()
    return made


def texts(model: SlideTableModel, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def at(view: SlideTableView, row: int, column: int) -> QPoint:
    return view.visualRect(view.model().index(row, column)).center()


def click(
    view: SlideTableView, row: int, column: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, keys, at(view, row, column))


def editor(view: SlideTableView, kind: type[QComboBox] | type[QLineEdit]) -> QComboBox | QLineEdit | None:
    return next((item for item in view.viewport().findChildren(kind) if item.isVisible()), None)


# The model


def test_the_model_keeps_qt_s_rules(
    model: SlideTableModel, stack: QUndoStack, qtmodeltester: object, draft: SubmissionDraft
) -> None:
    qtmodeltester.check(model)  # type: ignore[attr-defined]
    # The tester also listens: rows that go and come, sorting and resets must announce themselves rightly.
    model.remove(["slide-1", "slide-3"])
    stack.undo()
    model.sort(SLIDE, Qt.SortOrder.DescendingOrder)
    model.set_columns(COLUMNS[:2])
    assert [slide.id for slide in draft.slides] == ["slide-3", "slide-2", "slide-1", "slide-0"]


def test_cells_say_what_is_missing(model: SlideTableModel) -> None:
    assert [model.column_key(column) for column in range(model.columnCount())] == [
        "include", "slide", "mpp", "size", "tissue", "disease", "staining_method", "remark", "status",
    ]  # fmt: skip
    tissue, remark = model.index(0, TISSUE), model.index(0, REMARK)
    assert tissue.data(Role.Required)
    assert "Tissue is missing" in tissue.data(Role.Error)
    assert remark.data(Role.Error) == ""
    assert model.index(1, MPP).data() == "Unknown"
    assert "set the MPP" in model.index(1, MPP).data(Qt.ItemDataRole.ToolTipRole)
    assert texts(model, model.status_column) == ["Incomplete"] * 4
    assert model.attention() == 4


def test_status_follows_the_values(model: SlideTableModel) -> None:
    ids = [model.slide(row).id for row in range(4)]
    for key, value in (("tissue", "LUNG"), ("disease", "LUNG_CANCER"), ("staining_method", "H&E")):
        assert model.set_text(ids, key, value) == []
    assert texts(model, model.status_column) == ["Ready", "Set MPP", "Ready", "Ready"]
    assert model.set_text(["slide-1"], "mpp", "0,25") == []
    assert model.slide(1).mpp == 0.25
    assert model.slide(1).mpp_origin == "user"
    model.include(["slide-2"], False)
    assert texts(model, model.status_column) == ["Ready", "Ready", "Left out", "Ready"]
    assert model.attention() == 0


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf", "1e9"])
def test_an_mpp_that_cannot_be_is_refused(model: SlideTableModel, stack: QUndoStack, text: str) -> None:
    assert [bad.value for bad in model.set_text(["slide-1"], "mpp", text)] == [text]
    assert model.slide(1).mpp is None
    assert not stack.canUndo()


def test_an_unreadable_slide_cannot_be_edited(model: SlideTableModel) -> None:
    model.add([make_slide(4, error="The file is damaged", advice="Copy it again.")])
    index = model.index(4, TISSUE)
    assert not index.flags() & Qt.ItemFlag.ItemIsEditable
    assert not model.setData(index, "LUNG")
    assert model.index(4, model.status_column).data() == "Unreadable"
    assert model.index(4, model.status_column).data(Qt.ItemDataRole.ToolTipRole) == (
        "The file is damaged\nCopy it again."
    )


def test_a_slide_is_listed_once(model: SlideTableModel) -> None:
    assert model.add([make_slide(2, id="again"), make_slide(9), make_slide(9, id="twice")]) == 1
    assert model.rowCount() == 5


def test_edits_are_undone_by_slide_not_by_row(model: SlideTableModel, stack: QUndoStack) -> None:
    model.set_text(["slide-3"], "tissue", "LUNG")
    model.remove(["slide-0"])
    model.sort(SLIDE, Qt.SortOrder.DescendingOrder)
    assert [model.slide(row).id for row in range(3)] == ["slide-3", "slide-2", "slide-1"]
    stack.undo()
    assert model.rowCount() == 4
    stack.undo()
    assert texts(model, TISSUE) == [""] * 4
    stack.redo()
    row = model.slide_row("slide-3")
    assert row is not None
    assert model.slide(row).values["tissue"] == "LUNG"


def test_slides_are_arranged_behind_the_others(model: SlideTableModel) -> None:
    model.arrange(["/slides/2.svs", "/slides/0.svs"])
    assert [model.slide(row).id for row in range(4)] == ["slide-1", "slide-3", "slide-2", "slide-0"]
    assert model.slide_row("slide-0") == 3


def test_fill_down_is_one_step(model: SlideTableModel, stack: QUndoStack) -> None:
    model.set_text(["slide-0"], "tissue", "LUNG")
    before = stack.count()
    model.fill_down("slide-0", ["slide-0", "slide-1", "slide-2"], ["tissue"])
    assert texts(model, TISSUE) == ["LUNG", "LUNG", "LUNG", ""]
    assert stack.count() == before + 1
    stack.undo()
    assert texts(model, TISSUE) == ["LUNG", "", "", ""]


def test_fill_down_of_an_mpp_says_that_it_was_typed(model: SlideTableModel) -> None:
    model.fill_down("slide-0", ["slide-1"], ["mpp"])
    assert (model.slide(1).mpp, model.slide(1).mpp_origin) == (0.499, "user")


def test_paste_uses_good_values_and_names_bad_ones(model: SlideTableModel, stack: QUndoStack) -> None:
    bad = model.paste("lung\tLUNG_CANCER\nMOON\tBREAST_CANCER\r\n", "slide-1", "tissue")
    assert [(entry.slide_id, entry.column, entry.value) for entry in bad] == [("slide-2", "tissue", "MOON")]
    assert texts(model, TISSUE) == ["", "LUNG", "", ""]
    assert texts(model, DISEASE) == ["", "LUNG_CANCER", "BREAST_CANCER", ""]
    assert "MOON" in model.index(2, TISSUE).data(Role.Error)
    assert stack.count() == 1
    model.set_text(["slide-2"], "tissue", "LIVER")
    assert model.index(2, TISSUE).data(Role.Error) == ""
    stack.undo()
    stack.undo()
    assert texts(model, DISEASE) == [""] * 4


def test_one_change_of_neighbouring_rows_is_one_signal(model: SlideTableModel, qtbot: QtBot) -> None:
    ranges: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, roles: ranges.append((first.row(), last.row())))
    model.set_text(["slide-0", "slide-1", "slide-3"], "tissue", "LUNG")
    assert ranges == [(0, 1), (3, 3)]


def test_another_version_keeps_the_values(model: SlideTableModel) -> None:
    model.set_text(["slide-0"], "tissue", "LUNG")
    grade = Column("grade", ("grade",), "Grade", True, ("1", "2"), "2")
    model.set_columns((COLUMNS[0], grade))
    assert model.columnCount() == FIRST_COLUMN + 3
    assert model.slide(0).values == {"tissue": "LUNG", "grade": "2"}


# The view


def test_one_click_opens_the_choice_and_the_keyboard_takes_it(
    view: SlideTableView, model: SlideTableModel, qtbot: QtBot
) -> None:
    click(view, 0, TISSUE)
    qtbot.waitUntil(lambda: isinstance(editor(view, QComboBox), QComboBox))
    box = editor(view, QComboBox)
    assert isinstance(box, QComboBox)
    qtbot.waitUntil(box.view().isVisible)
    assert [box.itemText(row) for row in range(box.count())] == list(TISSUES)
    QTest.keyClick(box.view(), Qt.Key.Key_Home)
    for _ in range(TISSUES.index("LUNG")):
        QTest.keyClick(box.view(), Qt.Key.Key_Down)
    QTest.keyClick(box.view(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor(view, QComboBox) is None)
    assert texts(model, TISSUE) == ["LUNG", "", "", ""]


def test_typing_opens_the_editor_and_finds_the_value(
    view: SlideTableView, model: SlideTableModel, qtbot: QtBot
) -> None:
    view.setCurrentIndex(model.index(2, TISSUE))
    QTest.keyClick(view, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: isinstance(editor(view, QComboBox), QComboBox))
    box = editor(view, QComboBox)
    assert isinstance(box, QComboBox)
    QTest.keyClicks(box, "iver")
    QTest.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor(view, QComboBox) is None)
    assert texts(model, TISSUE) == ["", "", "LIVER", ""]


def test_a_typed_value_that_is_not_known_is_refused_with_words(
    view: SlideTableView, model: SlideTableModel, qtbot: QtBot
) -> None:
    view.setCurrentIndex(model.index(2, TISSUE))
    refused: list[list[BadValue]] = []
    view.refused.connect(refused.append)
    QTest.keyClick(view, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: isinstance(editor(view, QComboBox), QComboBox))
    box = editor(view, QComboBox)
    QTest.keyClicks(box, "oon")
    QTest.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor(view, QComboBox) is None)
    assert [entry.value.lower() for entry in refused[0]] == ["moon"]
    assert texts(model, TISSUE) == [""] * 4


def test_escape_leaves_the_cell_as_it_was(view: SlideTableView, model: SlideTableModel, qtbot: QtBot) -> None:
    click(view, 0, DISEASE)
    qtbot.waitUntil(lambda: isinstance(editor(view, QComboBox), QComboBox))
    box = editor(view, QComboBox)
    assert isinstance(box, QComboBox)
    qtbot.waitUntil(box.view().isVisible)
    QTest.keyClick(box.view(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: editor(view, QComboBox) is None)
    assert texts(model, DISEASE) == [""] * 4


def test_an_edit_is_for_all_selected_rows_and_one_undo(
    view: SlideTableView, model: SlideTableModel, stack: QUndoStack, qtbot: QtBot
) -> None:
    click(view, 0, SLIDE)
    click(view, 2, SLIDE, Qt.KeyboardModifier.ShiftModifier)
    assert view.selected_ids() == ["slide-0", "slide-1", "slide-2"]
    click(view, 1, STAIN)
    qtbot.waitUntil(lambda: isinstance(editor(view, QComboBox), QComboBox))
    box = editor(view, QComboBox)
    assert isinstance(box, QComboBox)
    qtbot.waitUntil(box.view().isVisible)
    QTest.keyClick(box.view(), Qt.Key.Key_Home)
    QTest.keyClick(box.view(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(model, STAIN) == ["H&E", "H&E", "H&E", ""])
    assert view.selected_ids() == ["slide-0", "slide-1", "slide-2"]
    stack.undo()
    assert texts(model, STAIN) == [""] * 4


def test_the_mpp_is_typed_into_its_cell(view: SlideTableView, model: SlideTableModel, qtbot: QtBot) -> None:
    click(view, 1, MPP)
    qtbot.waitUntil(lambda: isinstance(editor(view, QLineEdit), QLineEdit))
    line = editor(view, QLineEdit)
    QTest.keyClicks(line, "0.2505")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: model.slide(1).mpp == 0.2505)
    assert "Typed by you" in model.index(1, MPP).data(Qt.ItemDataRole.ToolTipRole)


def test_check_boxes(view: SlideTableView, model: SlideTableModel) -> None:
    click(view, 3, INCLUDE)
    assert [model.slide(row).included for row in range(4)] == [True, True, True, False]
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert not any(model.slide(row).included for row in range(4)) or all(model.slide(row).included for row in range(4))
    header = view.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(INCLUDE) + 10, header.height() // 2)
    before = model.slide(0).included
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert {model.slide(row).included for row in range(4)} == {not before}


def test_fill_down_in_the_view(view: SlideTableView, model: SlideTableModel) -> None:
    model.set_text(["slide-1"], "tissue", "LUNG")
    model.set_text(["slide-1"], "disease", "LUNG_CANCER")
    view.setCurrentIndex(model.index(1, TISSUE))  # alone: everything below it
    view.fill_down()
    assert texts(model, TISSUE) == ["", "LUNG", "LUNG", "LUNG"]
    assert texts(model, DISEASE) == ["", "LUNG_CANCER", "", ""]
    view.setCurrentIndex(model.index(1, SLIDE))  # no value: all columns of the schema
    view.select_ids(["slide-1", "slide-3"])
    view.fill_down()
    assert texts(model, DISEASE) == ["", "LUNG_CANCER", "", "LUNG_CANCER"]


def test_clipboard_and_delete(view: SlideTableView, model: SlideTableModel, stack: QUndoStack) -> None:
    view.setCurrentIndex(model.index(0, TISSUE))
    QGuiApplication.clipboard().setText("LUNG\tLUNG_CANCER\nBONE\tMARS")
    refused: list[list[BadValue]] = []
    view.refused.connect(refused.append)
    QTest.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert texts(model, TISSUE)[:2] == ["LUNG", "BONE"]
    assert [entry.value for entry in refused[0]] == ["MARS"]
    view.select_ids(["slide-0", "slide-1"])
    view.selectionModel().setCurrentIndex(model.index(0, TISSUE), view.selectionModel().SelectionFlag.NoUpdate)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "LUNG\nBONE"
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert model.rowCount() == 2
    stack.undo()
    assert [model.slide(row).id for row in range(4)] == ["slide-0", "slide-1", "slide-2", "slide-3"]


def test_all_columns_fit_a_small_window(view: SlideTableView, model: SlideTableModel) -> None:
    model.set_columns(COLUMNS[:3])
    for width in (1100, 690, 662):
        view.resize(width, 400)
        used = sum(view.columnWidth(column) for column in range(model.columnCount()) if not view.isColumnHidden(column))
        assert used <= view.viewport().width(), width
    assert view.isColumnHidden(SIZE)
    view.resize(1100, 400)
    assert not view.isColumnHidden(SIZE)


@pytest.mark.parametrize("count", [2000])
def test_many_rows_stay_quick(draft: SubmissionDraft, stack: QUndoStack, count: int) -> None:
    """One edit of all rows announces one range, whatever their number."""
    model = SlideTableModel(draft, stack)
    model.add(make_slide(number) for number in range(count))
    seen: list[int] = []
    handler: Callable[..., None] = lambda first, last, roles: seen.append(last.row() - first.row())  # noqa: E731
    model.dataChanged.connect(handler)
    model.set_text([slide.id for slide in draft.slides], "tissue", "LUNG")
    assert seen == [count - 1]


def test_what_is_worth_knowing_is_marked_and_said(model: SlideTableModel) -> None:
    named = make_slide(
        10, identifying=("label image", "aperio.User: drdoe"), notes=("A pixel is 0.5 µm wide.",), scanner="Maker 7"
    )
    model.add([named, make_slide(11, crc32c="AAAAAA==", size=7), make_slide(12, crc32c="AAAAAA==", size=7)])
    first, second, third = (model.index(model.rowCount() - number, SLIDE) for number in (3, 2, 1))
    assert first.data(Role.Marks) == ("user", "info")
    for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
        for words in (
            "Maker 7",
            "A pixel is 0.5 µm wide.",
            "May identify somebody:",
            "label image",
            "aperio.User: drdoe",
        ):
            assert words in first.data(role)
    assert second.data(Role.Marks) == ("info",)
    assert "The same content as 12.svs" in second.data(Qt.ItemDataRole.ToolTipRole)
    assert "The same content as 11.svs" in third.data(Qt.ItemDataRole.ToolTipRole)
    model.remove(["slide-12"])
    assert model.index(model.rowCount() - 1, SLIDE).data(Role.Marks) == ()


def test_proposals_are_taken_when_a_person_says_so(
    draft: SubmissionDraft, model: SlideTableModel, stack: QUndoStack
) -> None:
    model.add([make_slide(10, proposals={"tissue": "LUNG", "staining_method": "H&E"}, values={"tissue": "LIVER"})])
    assert draft.open_proposals() == {("slide-10", "staining_method"): "H&E"}
    assert "The file says Staining method: H&E." in model.notes.of(model.slide(4), model.columns)
    cells = [model.index(4, model.column_of(key) or 0) for key in ("tissue", "staining_method")]
    assert [cell.data(Role.Field)[:2] for cell in cells] == [("LIVER", "LUNG"), ("", "H&E")]
    model.take_proposals()
    assert model.slide(4).values == {"tissue": "LIVER", "staining_method": "H&E"}
    stack.undo()
    assert model.slide(4).values["staining_method"] == ""


def test_values_of_a_table_are_one_edit(model: SlideTableModel, stack: QUndoStack) -> None:
    model.take_values([make_slide(0, values={"tissue": "LUNG"}), make_slide(1, mpp=0.25), make_slide(99)])
    assert model.slide(0).values["tissue"] == "LUNG"
    assert (model.slide(1).mpp, model.slide(1).mpp_origin) == (0.25, "user")
    assert stack.count() == 1
    stack.undo()
    assert model.slide(1).mpp is None


def test_a_resolution_that_the_version_does_not_take_is_a_problem(model: SlideTableModel) -> None:
    fill = {"tissue": "LUNG", "disease": "LUNG_CANCER", "staining_method": "H&E"}
    model.add([make_slide(10, mpp=3.5, values=fill)])
    assert model.status(model.slide(4)) == READY
    model.set_mpp_limits({"maximum": 2.0})
    assert model.status(model.slide(4)) == SET_MPP
    assert "3.5 is not at most 2" in model.index(4, MPP).data(Role.Error)
    assert model.set_text(["slide-10"], "mpp", "2.5") != []
    assert model.set_text(["slide-10"], "mpp", "0.5") == []
    assert model.status(model.slide(4)) == READY
