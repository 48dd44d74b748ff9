"""The report's pictures: SVG that stands in the page and takes its colours from the page."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from bot.evaluation.assistant import Asked
from bot.evaluation.figures import Scope
from bot.evaluation.metrics import Bin

# Colours that are replaced by the page's own, so that one picture does for light and dark.
_INK, _LINE, _FIRST, _SECOND = "#010101", "#020202", "#030303", "#040404"
_PAGE = {
    _INK: "var(--ink)",
    _LINE: "var(--line)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
}
_STYLE = {
    "svg.fonttype": "none",
    # Names are names, also with a dollar sign in them.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_MOST_INTENTS = 16
_FEWEST = 5


def reliability(series: dict[str, list[Bin]]) -> str:
    """Confidence against the share that is right; a point's size says how many messages.

    Args:
        series: Up to two sets of bins, by the name in the legend.
    """
    with mpl.rc_context(_STYLE):
        canvas, axes = _square("How sure the bot is", "How often it is right")
        axes.plot([0, 1], [0, 1], color=_LINE, linewidth=1.5, linestyle="--", zorder=1)
        for (name, bins), colour in zip(series.items(), (_FIRST, _SECOND), strict=False):
            total = sum(b.count for b in bins)
            # A few messages are right or wrong by chance, and would draw the eye.
            bins = [b for b in bins if b.count >= _FEWEST] or bins
            x, y = [b.confidence for b in bins], [b.accuracy for b in bins]
            axes.plot(x, y, color=colour, linewidth=1.5, label=name)
            sizes = [15 + 400 * b.count / total for b in bins]
            axes.scatter(x, y, sizes, color=colour, alpha=0.7, clip_on=False)
        axes.legend(loc="upper left", frameon=False)
        return _svg(canvas, "reliability", "Calibration plot")


def scope_curve(scope: Scope) -> str:
    """What is answered of messages out of scope while so many in scope are accepted."""
    with mpl.rc_context(_STYLE):
        canvas, axes = _square("In scope and accepted", "Out of scope and answered")
        x, y = zip(*scope.curve, strict=True)
        axes.plot(x, y, color=_FIRST, linewidth=2, label="any threshold")
        today = ([scope.accepted], [1 - scope.not_answered])
        axes.scatter(
            *today, 60, color=_SECOND, label="as the bot decides today", zorder=3, clip_on=False
        )
        axes.legend(loc="upper left", frameon=False)
        return _svg(canvas, "scope", "Out-of-scope curve")


def _square(across: str, up: str) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=(4.6, 4.2), layout="constrained")
    axes = canvas.add_subplot()
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=across, ylabel=up)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(color=_LINE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    return canvas, axes


def confusion(asked: Sequence[Asked]) -> str:
    """How often one intent is taken for another, for the intents that are mixed up most.

    Returns:
        Empty where nothing is mixed up.
    """
    counts = Counter(
        (a.message.intent, str(a.prediction.intent))
        for a in asked
        if a.prediction.intent not in (a.message.intent, None)
    )
    involved: Counter[str] = Counter()
    for (label, taken_for), count in counts.items():
        involved.update({label: count, taken_for: count})
    names = sorted(name for name, _ in involved.most_common(_MOST_INTENTS))
    if not names:
        return ""
    with mpl.rc_context(_STYLE):
        side = 2.6 + 0.42 * len(names)
        canvas = Canvas(figsize=(side, side - 0.6), layout="constrained")
        axes = canvas.add_subplot()
        _cells(axes, names, counts)
        axes.set(xlabel="taken for", ylabel="labelled", xlim=(0, len(names)), ylim=(len(names), 0))
        places = [i + 0.5 for i in range(len(names))]
        axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(places, names)
        axes.tick_params(length=0)
        for edge in axes.spines.values():
            edge.set_visible(False)
        return _svg(canvas, "confusion", "Confusion matrix")


def _cells(axes: Axes, names: Sequence[str], counts: Counter[tuple[str, str]]) -> None:
    most = max(counts.values())
    for row, label in enumerate(names):
        for column, taken_for in enumerate(names):
            count = counts[label, taken_for]
            colour, strength = (_LINE, 0.7) if row == column else (_FIRST, 0.9 * count / most)
            place = (column + 0.04, row + 0.04)
            empty = not count and row != column
            axes.add_patch(
                Rectangle(
                    place, 0.92, 0.92, linewidth=0,
                    facecolor=_LINE if empty else colour, alpha=0.15 if empty else strength,
                )
            )  # fmt: skip
            if count:
                axes.text(column + 0.5, row + 0.52, str(count), ha="center", va="center")


def _svg(canvas: Canvas, salt: str, title: str) -> str:
    """The picture as an element; `salt` keeps the ids of several pictures on one page apart."""
    file = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt}):
        canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    for ours, pages in _PAGE.items():
        text = text.replace(ours, pages)
    return text[text.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{title}"', 1)
