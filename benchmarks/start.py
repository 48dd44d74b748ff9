"""Start time and memory of `frontdesk serve`, for one or several environments in turns.

.venv/bin/python -m benchmarks.start models/NAME.tar.gz .venv .venv-tensorflow --runs 5
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated

import httpx
import psutil
import typer

PORT = 18_765
QUESTION = {"id": "1", "text": "what are your opening hours in leeds"}


def main(
    model: Annotated[Path, typer.Argument(help="A trained model")],
    environments: Annotated[list[Path], typer.Argument(help="Virtual environments to compare")],
    runs: Annotated[int, typer.Option(help="Starts of each; the first of each is not counted")] = 5,
) -> None:
    """Prints medians: import of Rasa, start until ready, resident memory after one answer."""
    seen: dict[Path, list[tuple[float, float, float]]] = {e: [] for e in environments}
    with tempfile.TemporaryDirectory() as state:
        for run in range(runs + 1):
            for environment in environments:
                measured = measure(environment, model.resolve(), state)
                if run:
                    seen[environment].append(measured)
    for environment, rows in seen.items():
        imports, start, memory = (statistics.median(row[i] for row in rows) for i in range(3))
        print(
            f"{environment}: import {imports:.1f} s, ready after {start:.1f} s, "
            f"{memory:.0f} MB resident (medians of {runs})"
        )


def measure(environment: Path, model: Path, state: str) -> tuple[float, float, float]:
    """Seconds to import Rasa, seconds until ready, and MB after one answered message."""
    python = str(environment / "bin" / "python")
    began = time.perf_counter()
    subprocess.run([python, "-W", "ignore", "-c", "import rasa.core.agent"], check=True)
    imports = time.perf_counter() - began
    variables = os.environ | {
        "FRONTDESK_STATE_DIR": state,
        "FRONTDESK_PORT": str(PORT),
        "FRONTDESK_MODEL": str(model),
    }
    began = time.perf_counter()
    server = subprocess.Popen(
        [python, "-m", "bot.cli", "serve"], env=variables, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{PORT}"
        wait_ready(url)
        start = time.perf_counter() - began
        ask(url)
        memory = psutil.Process(server.pid).memory_info().rss / 1_000_000
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    return imports, start, memory


def wait_ready(url: str) -> None:
    """Returns when the server says that it is ready."""
    for _ in range(1200):
        try:
            if httpx.get(f"{url}/readyz", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError("not ready after a minute")


def ask(url: str) -> None:
    """One message, and its answer."""
    token = httpx.post(f"{url}/webhooks/webchat/session").json()["token"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        client.post("/webhooks/webchat/messages", json=QUESTION)
        for _ in range(200):
            if len(client.get("/webhooks/webchat/messages").json()["messages"]) > 1:
                return
            time.sleep(0.05)
    raise TimeoutError("no answer after ten seconds")


if __name__ == "__main__":
    typer.run(main)
