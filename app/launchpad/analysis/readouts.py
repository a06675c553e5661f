"""What is counted while the tiles go by; memory does not grow with the slide."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ClassTotals:
    """Totals of one class of nuclei."""

    name: str
    count: int = 0
    area_sum: float = 0.0
    area_squares: float = 0.0

    def add(self, area: float) -> None:
        """Count one nucleus of this area in µm²."""
        self.count += 1
        self.area_sum += area
        self.area_squares += area * area

    @property
    def area_mean(self) -> float | None:
        """Mean nuclear area in µm², None without nuclei."""
        return self.area_sum / self.count if self.count else None

    @property
    def area_sd(self) -> float | None:
        """Standard deviation of the nuclear area in µm², None without nuclei."""
        if not self.count:
            return None
        mean = self.area_sum / self.count
        return float(max(0.0, self.area_squares / self.count - mean * mean) ** 0.5)


@dataclass
class Readout:
    """All numbers of one slide. `tissue_mm2` is the area of tissue in mm²; `mpp` are µm a pixel."""

    width: int
    height: int
    mpp: float
    working_mpp: float
    tissue_mm2: float
    tissue_regions: int
    classes: list[ClassTotals]
    tiles: int = 0
    tiles_with_tissue: int = 0
    dropped_outlines: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def total(self) -> ClassTotals:
        """All classes together."""
        return ClassTotals(
            "All",
            sum(item.count for item in self.classes),
            sum(item.area_sum for item in self.classes),
            sum(item.area_squares for item in self.classes),
        )

    def density(self, totals: ClassTotals) -> float | None:
        """Nuclei a mm² of tissue, None without tissue."""
        return totals.count / self.tissue_mm2 if self.tissue_mm2 else None
