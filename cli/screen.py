"""What the demo shows: a line for each step, and how far the city is."""

import json
import threading
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.account import Account
from cli.children import Child
from config.settings import Settings


class Screen:
    """The terminal of a running demo."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._status = self._console.status("starting")
        self._started = time.monotonic()
        self.phase = ""
        self.last: dict[str, Any] = {}

    def step(self, text: str) -> None:
        """Say that something is done or begins."""
        self._console.print(f"[dim]{time.monotonic() - self._started:6.1f} s[/]  {text}")

    def ready(self, address: str, settings: Settings) -> None:
        """Say where to look, and how other commands find the same day."""
        self.step(f"[bold green]READY[/]  open [bold]{address}[/]")
        self._console.print("          Ctrl-C ends everything. For other commands on this day:")
        self._console.print(
            f"          export BINROUND_DATA_DIR={settings.data_dir} "
            f"BINROUND_REGION={settings.region} BINROUND_CLOCK={settings.clock}",
            soft_wrap=True,
        )

    def follow(self, city: Child) -> None:
        """Show what the city tells of itself, until it ends."""
        threading.Thread(target=self._listen, args=[city], daemon=True).start()

    def account(self, account: Account) -> None:
        """Show what a day came to, with the fixed calendar beside it."""
        table = Table(title=account.title, title_justify="left", min_width=64)
        days = "/".join(map(str, account.calendar_days))
        for heading in ("", "binround", f"every {days} days"):
            table.add_column(heading, justify="left" if not heading else "right")
        for label, ours, theirs in account.rows():
            table.add_row(label, ours, theirs)
        self._console.print(table)

    def _listen(self, city: Child) -> None:
        with self._status:
            for line in city.stdout:
                said = json.loads(line)
                self.phase, self.last = said["phase"], said
                self._status.update(_described(said))


def _described(said: dict[str, Any]) -> str:
    match said["phase"]:
        case "history":
            return f"the city tells of the last days: {said['published']:,} messages"
        case "waiting-for-tours":
            return "the trucks wait for their tours"
        case "driving":
            return (
                f"{said['time'][11:16]} UTC: {said['fixes']:,} fixes, {said['readings']:,} "
                f"readings, {said['stops_done']} stops, {said['lifts']:,} containers"
            )
        case phase:
            return str(phase)
