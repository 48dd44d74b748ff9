"""The picture of `frontdesk threshold`: wrong answers against messages that end with a human."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from bot.core.tradeoff import Outcome

_COLOURS = ("#1f6f5c", "#b5542a")


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        name: For the legend.
        points: Caution, and what becomes of the messages.
    """

    name: str
    points: Sequence[tuple[float, Outcome]]


def draw(path: Path, lines: Sequence[Series], now: float) -> None:
    """Writes the picture.

    Args:
        path: Its file; the suffix decides the format.
        lines: One for each source of messages.
        now: The caution of today, which is marked.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for line, colour in zip(lines, _COLOURS, strict=False):
        across = [100 * result.humans / result.total for _, result in line.points]
        up = [100 * result.wrong / result.total for _, result in line.points]
        axes.plot(across, up, marker="o", color=colour, label=line.name)
        for (caution, _), x, y in zip(line.points, across, up, strict=True):
            mark = caution == now
            axes.annotate(
                f"{caution:g}{' (now)' if mark else ''}",
                (x, y),
                textcoords="offset points",
                xytext=(6, 6),
                color=colour,
                weight="bold" if mark else "normal",
            )
            if mark:
                axes.plot([x], [y], marker="o", markersize=13, color=colour, fillstyle="none")
    axes.set_xlabel("messages that end with a human, %")
    axes.set_ylabel("messages answered wrong, %")
    axes.set_title("Each point is a value of caution in config.yml")
    axes.margins(0.12)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
