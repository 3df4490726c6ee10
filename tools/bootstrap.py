"""Make .venv from a suitable interpreter; standard library only, for any Python from 3.8."""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOWEST = (3, 12)
HIGHEST = (3, 14)
INPUTS = ("pyproject.toml", "constraints.txt")


def candidates():
    """Name interpreters, the asked-for first, then this one, then what the machine has."""
    asked = os.environ.get("PYTHON")
    if asked:
        yield asked
        return
    yield sys.executable
    for minor in range(HIGHEST[1], LOWEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            yield found
        for root in (os.environ.get("PYENV_ROOT"), "~/.pyenv"):
            if root:
                pattern = os.path.join(
                    os.path.expanduser(root), "versions", "3.%d.*" % minor, "bin", "python"
                )
                yield from sorted(glob.glob(pattern), reverse=True)
        yield from glob.glob(
            os.path.expanduser("~/.local/share/uv/python/cpython-3.%d*/bin/python3" % minor)
        )
    found = shutil.which("python3")
    if found:
        yield found


def version(python):
    """Ask an interpreter for its version by running it (a pyenv shim can exist and still fail)."""
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    return tuple(int(part) for part in done.stdout.split("."))


def choose():
    """Return the first interpreter that fits, or stop with what was tried."""
    tried = []
    for python in candidates():
        found = version(python)
        if found is not None and LOWEST <= found <= HIGHEST:
            return python
        tried.append("  %s: %s" % (python, "does not run" if found is None else "is %d.%d" % found))
    sys.exit(
        "This project needs Python %d.%d to %d.%d with venv; none was found.\n" % (LOWEST + HIGHEST)
        + "\n".join(dict.fromkeys(tried))
        + "\nInstall one (uv python install 3.13, pyenv install 3.13, or apt install python3.12"
        " python3.12-venv)\n"
        "or name one: make demo PYTHON=/path/to/python3.13"
    )


def main():
    """Install only when the inputs changed."""
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in INPUTS)).hexdigest()
    stamp = VENV / ".stamp"
    if stamp.exists() and stamp.read_text() == digest:
        stamp.touch()
        return
    python = choose()
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    bin_ = VENV / "bin"
    print("Python: %s" % python, flush=True)
    subprocess.check_call([python, "-m", "venv", "--clear", str(VENV)])
    constraints = ["-c", str(ROOT / "constraints.txt")]
    pip = [str(bin_ / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.check_call([*pip, *constraints, "uv"])
    uv = [str(bin_ / "uv"), "pip", "install", "-q", "--python", str(bin_ / "python")]
    target = [*constraints, "-e", str(ROOT), "--group", str(ROOT / "pyproject.toml") + ":dev"]
    if subprocess.call(uv + target) != 0:
        print("uv could not install; trying pip", flush=True)
        subprocess.check_call([*pip, "-U", "pip>=25.1"])
        subprocess.check_call(pip + target)
    stamp.write_text(digest)


if __name__ == "__main__":
    main()
