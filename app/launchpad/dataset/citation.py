"""CITATION.txt beside downloaded slides: whose they are, their licence, and what to cite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from launchpad.dataset.index import Series, Source
from launchpad.paths import write_atomic

FILE = "CITATION.txt"
_HEAD = (
    "Slides of NCI Image Data Commons. When you use them, keep to the licences and cite what stands below.\n\n"
    "Image Data Commons: Fedorov, A. et al. National Cancer Institute Imaging Data Commons: Toward Transparency, "
    "Reproducibility, and Scalability in Imaging Artificial Intelligence. RadioGraphics 43 (2023). "
    "https://doi.org/10.1148/rg.230180\n"
)


def source_words(source: Source) -> str:
    """Title, citation and licence of a source, in lines."""
    licence = f"{source.licence} ({source.licence_url})" if source.licence_url else source.licence
    doi = f"https://doi.org/{source.doi}"
    named = source.doi.lower() in source.citation.lower()
    lines = [source.title, f"Cite: {source.citation}{'' if named else f' {doi}'}".strip(), f"Licence: {licence}"]
    return "\n".join(line for line in lines if line)


def write_citations(folder: Path, sources: Sequence[Source], series: Sequence[Series], version: str) -> None:
    """Write the file, or add to one that is there. Raises OSError."""
    file = folder / FILE
    text = file.read_text(encoding="utf-8") if file.is_file() else _HEAD
    known = set(text.splitlines())
    for source in sources:
        own = [item for item in series if (item.doi, item.licence) == (source.doi, source.licence)]
        block = source_words(source)
        lines = [f"  {item.series_uid} ({item.collection_id}, patient {item.patient_id})" for item in own]
        new = [line for line in lines if line not in known]
        if new:
            text += f"\n{block}\nSeries (version {version} of Image Data Commons):\n" + "\n".join(new) + "\n"
    write_atomic(file, text.encode())
