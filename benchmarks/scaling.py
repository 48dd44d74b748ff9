"""What a second replica adds, where it gets a core of its own.

createdb -h 127.0.0.1 -U postgres scaling
.venv/bin/python -m benchmarks.scaling models/NAME.tar.gz \
    --database postgresql://postgres@127.0.0.1:5432/scaling

One replica takes a whole core, so PostgreSQL, the customers and two of them need four. Here each
replica gets the same small share of a core (`--share`) from Linux's scheduler (a control group),
and what is left is enough for the others: the processors are never all busy, and what is seen is
what replicas cost each other, in the database and by their messages. Needs root.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from bot.benchmarking.processes import Server
from bot.benchmarking.server import Launch, serving
from bot.benchmarking.turns import write_to
from bot.core.errors import ConfigurationError
from bot.settings import load

_GROUPS = Path("/sys/fs/cgroup")
# Long enough for the kernel's bookkeeping, short enough that an answer does not wait for it.
_PERIOD_MICROSECONDS = 20_000
_WARM_UP_MESSAGES = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement.

    Attributes:
        replicas: How many served.
        per_second: Answered messages.
        cpu_ms_per_message: Of all replicas, user and system.
        machine_busy: Share of the machine's processors that was in use, all processes included.
        errors: Messages that were not answered.
    """

    replicas: int
    per_second: float
    cpu_ms_per_message: float
    machine_busy: float
    errors: int


def main(
    model: Annotated[Path, typer.Argument(help="A trained model of the assistant")],
    database: Annotated[str, typer.Option(help="An empty postgresql://… database")],
    replicas: Annotated[list[int], typer.Option(help="Numbers to compare; repeat it")] = [1, 2],  # noqa: B006
    share: Annotated[float, typer.Option(min=0.05, help="Of a core, for each replica")] = 0.3,
    messages: Annotated[int, typer.Option(min=100, help="In each run, for each replica")] = 1000,
    customers: Annotated[int, typer.Option(min=1, help="At once, for each replica")] = 20,
    runs: Annotated[int, typer.Option(min=1, help="Of each number, in turns")] = 3,
    out: Annotated[Path | None, typer.Option("--json", help="Where to write each run")] = None,
) -> None:
    """Prints messages a second with each number of replicas, and how many times the first's."""
    settings = load()
    launch = Launch(settings.project_dir, settings.endpoints, model.resolve(), database)
    found = [
        asyncio.run(measure(launch, number, share, messages, customers))
        for _ in range(runs)
        for number in replicas
    ]
    if out is not None:
        facts = {"share": share, "runs": [asdict(run) for run in found]}
        out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    Console().print(_table(replicas, found, share))


async def measure(
    launch: Launch, replicas: int, share: float, messages: int, customers: int
) -> Run:
    """Starts so many replicas on one database, and lets customers write to all of them."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-")))
        servers = []
        for number in range(replicas):
            place = folder / str(number)
            place.mkdir()
            servers.append(await stack.enter_async_context(serving(launch, place)))
        for number, server in enumerate(servers):
            stack.enter_context(limited(f"frontdesk-{os.getpid()}-{number}", server, share))
        await write_to(servers, customers, _WARM_UP_MESSAGES)
        psutil.cpu_percent()
        level = await write_to(servers, customers * replicas, messages * replicas)
        busy = psutil.cpu_percent() / 100
    cost = level.cpu_ms_per_message
    if cost is None:
        raise ConfigurationError("replicas", f"answered nothing: {level.errors}", "Look there.")
    return Run(replicas, level.per_second, cost, busy, sum(level.errors.values()))


@contextmanager
def limited(name: str, server: Server, share: float) -> Iterator[None]:
    """Gives a server no more than a share of one core.

    Raises:
        ConfigurationError: This machine has no control groups that we may write.
    """
    first = _GROUPS / "cgroup.controllers"
    quota = int(share * _PERIOD_MICROSECONDS)
    if first.exists():  # version 2
        group, limits = _GROUPS / name, {"cpu.max": f"{quota} {_PERIOD_MICROSECONDS}"}
    else:
        group = _GROUPS / "cpu" / name
        limits = {"cpu.cfs_period_us": str(_PERIOD_MICROSECONDS), "cpu.cfs_quota_us": str(quota)}
    try:
        group.mkdir()
        for file, value in limits.items():
            (group / file).write_text(value)
        for process in server.all_processes():
            (group / "cgroup.procs").write_text(str(process.pid))
    except OSError as error:
        raise ConfigurationError(
            str(group), f"cannot be used ({error.strerror})", "Run it as root on Linux."
        ) from error
    try:
        yield
    finally:
        # A group with processes cannot be removed; they end outside of it, and faster.
        home = group.parent / "cgroup.procs"
        for process in server.all_processes():
            home.write_text(str(process.pid))
        group.rmdir()


def _table(replicas: Sequence[int], found: Sequence[Run], share: float) -> Table:
    table = Table(title=f"Each replica has {share:g} of a core; medians")
    for name in ("Replicas", "Messages/s", "Times the first", "ms of processor a message"):
        table.add_column(name, justify="right")
    table.add_column("Machine busy", justify="right")
    table.add_column("Errors", justify="right")
    first = statistics.median(run.per_second for run in found if run.replicas == replicas[0])
    for number in replicas:
        own = [run for run in found if run.replicas == number]
        rate = statistics.median(run.per_second for run in own)
        table.add_row(
            str(number),
            f"{rate:.1f}",
            f"{rate / first:.2f}",
            f"{statistics.median(run.cpu_ms_per_message for run in own):.1f}",
            f"{statistics.median(run.machine_busy for run in own):.0%}",
            str(sum(run.errors for run in own)),
        )
    return table


if __name__ == "__main__":
    typer.run(main)
