"""The report that a designer reads, in one HTML file, and the same for machines, in JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.evaluation import pictures
from bot.evaluation.advice import Advice
from bot.evaluation.assistant import Answers
from bot.evaluation.figures import Figures
from bot.evaluation.findings import Findings
from bot.evaluation.metrics import percent

_FOLDS, _HELD_OUT = "cross-validation", "kept aside"


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say about an assistant.

    Attributes:
        title: The assistant's name.
        measured_at: When.
        components: The names of its pipeline's components.
        folds: Into how many parts cross-validation cut the examples.
    """

    title: str
    measured_at: datetime
    components: list[str]
    folds: int
    answers: Answers
    figures: Figures
    findings: Findings
    advice: list[Advice]

    def write(self, folder: Path) -> Path:
        """Writes `report.html` and `report.json`.

        Returns:
            The path of the page.
        """
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "report.html"
        page.write_text(self.html(), encoding="utf-8")
        content = json.dumps(self.facts(), indent=2, ensure_ascii=False)
        (folder / "report.json").write_text(content + "\n", encoding="utf-8")
        return page

    def facts(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return {
            "title": self.title,
            "measured_at": self.measured_at.isoformat(timespec="seconds"),
            "pipeline": self.components,
            "folds": self.folds,
            "mend_first": [asdict(advice) for advice in self.advice],
            "figures": asdict(self.figures),
            "findings": asdict(self.findings),
        }

    def html(self) -> str:
        """The page: it loads nothing and runs nothing. Every text of others is escaped."""
        environment = Environment(
            loader=PackageLoader("bot.evaluation", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["percent"] = _unbroken
        sets = {_FOLDS: self.figures.folds}
        if self.figures.held_out is not None:
            sets[_HELD_OUT] = self.figures.held_out
        return environment.get_template("report.html.j2").render(
            report=self,
            sets=sets,
            pictures={name: Markup(svg) for name, svg in self._pictures().items()},  # noqa: S704
            taken_for=self._taken_for(),
        )

    def _pictures(self) -> dict[str, str]:
        bins = {_FOLDS: self.figures.folds.bins}
        if self.figures.held_out is not None:
            bins[_HELD_OUT] = self.figures.held_out.bins
        return {
            "reliability": pictures.reliability(bins),
            "confusion": pictures.confusion(self.answers.folds),
            "scope": pictures.scope_curve(self.figures.scope) if self.figures.scope else "",
        }

    def _taken_for(self) -> dict[str, str]:
        """What each intent is most often taken for, and how often."""
        counts: dict[str, dict[str, int]] = {}
        for asked in self.answers.folds:
            label, first = asked.message.intent, asked.prediction.intent
            if first not in (label, None):
                own = counts.setdefault(label, {})
                own[str(first)] = own.get(str(first), 0) + 1
        most = {label: max(own.items(), key=lambda item: item[1]) for label, own in counts.items()}
        return {label: f"{name} ({count})" for label, (name, count) in most.items()}


def _unbroken(share: float, digits: int = 1) -> str:
    """A share whose sign stays on its line."""
    return percent(share, digits).replace(" ", "\u00a0")
