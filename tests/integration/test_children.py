from pathlib import Path

from cli.children import Child
from simulator.studies.scenario import shipped_scenarios


def test_what_a_revived_process_says_is_still_heard(tmp_path: Path) -> None:
    """Otherwise the city that was started again would fill its pipe and stand still."""
    child = Child("study", ["list"], {}, tmp_path / "study.log", talks=True)
    try:
        heard = child.stdout
        first = [heard.readline() for _ in shipped_scenarios()]
        child.process.wait(30)
        child.revive()
        again = [heard.readline() for _ in shipped_scenarios()]
        assert again == first
        assert b"" not in first
    finally:
        child.stop()
    assert heard.closed
