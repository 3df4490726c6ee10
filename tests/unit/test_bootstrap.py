import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT


@pytest.fixture
def bootstrap() -> ModuleType:
    """The script as a module; it stands outside the packages."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_does_not_run_is_passed_over(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version manager's shim can be on the PATH and still fail; the next one is taken."""
    shim = _program(tmp_path / "python3.13", "exit 127")
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter([str(shim), sys.executable]))
    assert bootstrap.choose() == sys.executable


def test_the_interpreter_that_was_asked_for_is_the_only_one_tried(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make demo PYTHON=...` never falls back to something else behind the user's back."""
    old = _program(tmp_path / "python", "echo 3.11")
    monkeypatch.setenv("PYTHON", str(old))
    with pytest.raises(SystemExit) as stopped:
        bootstrap.choose()
    message = str(stopped.value)
    assert f"{old}: is 3.11" in message
    assert "needs Python 3.12 to 3.14" in message
    assert "make demo PYTHON=" in message


def test_the_lock_holds_no_address() -> None:
    """The lock names versions only: whichever index a machine has can serve it."""
    assert "://" not in (ROOT / "constraints.txt").read_text()
