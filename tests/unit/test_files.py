from pathlib import Path

import pytest

from config.errors import SettingsError
from config.files import private_folder, write_private


def test_a_private_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    """Neither an older file nor a draft that was left behind lends it its mode."""
    path = tmp_path / "new" / "secrets.json"
    path.parent.mkdir()
    for old in (path, path.with_name("secrets.json.new")):
        old.write_text("old")
        old.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_private_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """One line says which file, and why."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SettingsError, match=r"^cannot write .*secrets\.json[^\n]*$"):
        write_private(tmp_path / "file" / "secrets.json", "new")


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    """A file stands in its way: the message names it and says what to do; no traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot make .*file/data .*name a folder"):
        private_folder(tmp_path / "file" / "data")
    private_folder(tmp_path / "broker" / "data")
    assert (tmp_path / "broker" / "data").stat().st_mode & 0o777 == 0o700
