"""What a person types into a cell of the slide table, as the table keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from launchpad.application.columns import Column, outside

MPP_LOWEST, MPP_HIGHEST = 0.01, 100.0  # micrometres per pixel; beyond lies a typing error


def parse_value(key: str, text: str, columns: Sequence[Column], limits: Mapping[str, float]) -> tuple[bool, object]:
    """Whether a text is a value of the column `key`, and that value; an MPP with its origin, "user"."""
    text = text.strip()
    if key == "mpp":
        if not text:
            return True, None
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            return False, None
        good = MPP_LOWEST <= number <= MPP_HIGHEST and not outside(limits, number)
        return good, (number, "user")
    column = next(column for column in columns if column.key == key)
    if not text or not column.choices or text in column.choices:
        return True, text
    matches = [choice for choice in column.choices if choice.casefold() == text.casefold()]
    return bool(matches), matches[0] if matches else text
