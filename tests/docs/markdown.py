"""Reads what the documentation says: blocks, code spans, links, headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; `file` is what its first line names (``# domain.yml``), or empty."""

    language: str
    text: str

    @property
    def file(self) -> str:
        named = re.match(r"# ([\w/.-]+\.\w+)\n", self.text)
        return named[1] if named else ""


@dataclass(frozen=True)
class Page:
    """One file of the documentation."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found) for found in _FENCE.findall(self.text)]

    @property
    def spans(self) -> list[str]:
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Targets of links and images, as they are written."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The headings' names in links, as GitHub makes them."""
        names = (re.sub(r"[^\w\- ]", "", name.lower()) for name in _HEADING.findall(self.prose))
        return {name.strip().replace(" ", "-") for name in names}

    def rows(self, *header: str) -> list[list[str]]:
        """The rows of the first table whose header begins with these cells."""
        found = self._tables(header)
        assert found, f"{self.path.name} has no table with the header {header}"
        return found

    def _tables(self, header: tuple[str, ...]) -> list[list[str]]:
        lines = iter(self.prose.splitlines())
        for line in lines:
            if line.startswith("|") and _cells(line)[: len(header)] == list(header):
                next(lines)
                return list(_rows(lines))
        return []


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def code(cell: str) -> list[str]:
    """The code spans of a cell."""
    return _SPAN.findall(cell)


def page(name: str) -> Page:
    """A page of ``docs/``, or ``README.md``."""
    return Page(ROOT / name if name == "README.md" else ROOT / "docs" / name)


def shell_lines(shown: Page) -> list[str]:
    """Everything on a page that one would type: lines of ``sh`` blocks, and code spans."""
    typed = [line for b in shown.blocks if b.language == "sh" for line in b.text.splitlines()]
    return [line.split(" #")[0].strip() for line in (*typed, *shown.spans)]
