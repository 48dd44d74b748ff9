"""Kills `frontdesk serve` again and again under traffic, and checks that nothing is lost.

    python -m tests.crash --messages 10000 --duplicates 0.2 --kills 20
    python -m tests.crash --database postgresql://root@127.0.0.1/NAME --replicas 3 \\
        --conversations 40
    python -m tests.crash --storm --database postgresql://… --replicas 4
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.crash.run import Outcome, Size, crash, storm

_LABELS = {
    "messages": "Messages",
    "acknowledged": "… acknowledged",
    "webhooks": "Webhooks posted",
    "kills": "Kills",
    "turns": "Turns",
    "answers": "Answers at the platform",
    "lost": "Lost",
    "unanswered": "Unanswered",
    "double_turns": "Double turns",
    "reordered": "Out of order",
    "duplicates": "Answers seen twice",
    "unrecorded": "… not recorded",
    "resent": "Sent again after a crash",
    "acknowledged_p50_ms": "Acknowledgement, p50, ms",
    "acknowledged_p99_ms": "Acknowledgement, p99, ms",
    "sending_s": "Sending, s",
    "until_quiet_s": "Until all was answered, s",
}


def main(
    messages: Annotated[int, typer.Option(min=1, help="How many; with --storm, ids")] = 1000,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share sent again")] = 0.2,
    kills: Annotated[int, typer.Option(min=0, help="How many SIGKILLs")] = 20,
    database: Annotated[
        str | None, typer.Option(help="postgresql://…, which exists; a new SQLite file without")
    ] = None,
    replicas: Annotated[int, typer.Option(min=1, help="Processes, on PostgreSQL only")] = 1,
    conversations: Annotated[int, typer.Option(min=1, max=9999, help="Customers at once")] = 40,
    seed: Annotated[int, typer.Option(help="Another one, other traffic and kills")] = 1,
    in_parallel: Annotated[
        int, typer.Option("--copies", min=1, help="With --storm: of each id at once")
    ] = 8,
    storming: Annotated[
        bool, typer.Option("--storm", help="Each id many times at once, and no kills")
    ] = False,
    out: Annotated[Path | None, typer.Option("--json", help="Write all figures here")] = None,
) -> None:
    """Sends signed webhooks to killed and restarted processes; exits 1 when a promise broke."""
    if replicas > 1 and database is None:
        raise typer.BadParameter("needs --database postgresql://…: SQLite has one process")
    if messages < conversations:
        conversations = messages
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{folder}/frontdesk.db"
        if storming:
            run = storm(messages, in_parallel, replicas, url, Path(folder), console.print)
        else:
            size = Size(messages, duplicates, kills, replicas, conversations, seed)
            run = crash(size, url, Path(folder), console.print)
        outcome = asyncio.run(run)
    _print(outcome)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(asdict(outcome), indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(1 if outcome.violations else 0)


def _print(outcome: Outcome) -> None:
    console = Console()
    table = Table()
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in outcome.figures.items():
        table.add_row(_LABELS[name], str(value))
    console.print(table)
    for death in outcome.deaths:
        console.print(f"replica {death.replica} killed at {death.where}", highlight=False)
    for kind, listed in outcome.violations.items():
        for line in listed[:10]:
            console.print(f"[red]{kind}[/red]: {line}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
