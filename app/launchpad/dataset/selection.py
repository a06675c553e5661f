"""What ids name: slides, or single instances of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from launchpad.dataset.index import ID_COLUMNS, Series, SlideIndex
from launchpad.dataset.query import instance_folders
from launchpad.errors import BadInput

EXAMPLE = "1.3.6.1.4.1.5962.99.1.1069745200.1645485340.1637452317744.2.0"
"""A lung adenocarcinoma of TCGA: the data set of the tutorial."""


@dataclass(frozen=True)
class Selection:
    """Slides to download. Of those in `instances` (by folder) only these files, by the names of their objects."""

    series: tuple[Series, ...]
    instances: dict[str, frozenset[str]] = field(default_factory=dict)
    matched: int = 0

    @property
    def size(self) -> int:
        """Bytes, as the index says; single instances are counted when the bucket was asked."""
        return sum(item.size for item in self.series if item.folder not in self.instances)


def select(index: SlideIndex, source: str | Sequence[str]) -> Selection:
    """The slides that ids name: collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID.

    Args:
        index: where to look.
        source: ids, in a list or separated by commas.

    Raises:
        BadInput: an id is unknown, or there is none.
        SettingsError: the index of instances that a setting names cannot be read.
    """
    names = source.split(",") if isinstance(source, str) else list(source)
    names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not names:
        raise BadInput("There is no id to download", advice="Name a collection, patient, study, series or instance.")
    chosen: dict[str, Series] = {}
    partly: dict[str, set[str]] = {}
    whole: set[str] = set()
    unknown = []
    for name in names:
        found = index.named(name)
        for item in found:
            chosen[item.series_uid] = item
            whole.add(item.folder)
        if found:
            continue
        instance = instance_folders(name)
        series = index.named(instance[0]) if instance else []
        if instance is None or not series:
            unknown.append(name)
            continue
        chosen[series[0].series_uid] = series[0]
        partly.setdefault(series[0].folder, set()).add(f"{instance[1]}.dcm")
    if unknown:
        raise BadInput(
            "No public slide has this id",
            detail=f"Looked for in {', '.join(ID_COLUMNS)} of {len(index.collections())} collections.",
            advice="Look with `launchpad dataset idc query`. Ids of single instances (SOPInstanceUID) are found only "
            "with an index of instances: the setting LAUNCHPAD_SM_INSTANCE_INDEX names it.",
            subject=", ".join(unknown),
        )
    instances = {folder: frozenset(files) for folder, files in partly.items() if folder not in whole}
    return Selection(tuple(chosen.values()), instances, len(names))
