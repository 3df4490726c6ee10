"""What services say, as JSON."""

import json
import logging

from cli.log import JsonLines


def line(message: str, *args: object, error: BaseException | None = None, speaker: str = "") -> str:
    """Return a record as the JSON formatter writes it."""
    problem = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("ingest.x", logging.WARNING, "", 0, message, args, problem)
    return JsonLines(speaker).format(record)


def test_each_record_is_one_object_on_one_line() -> None:
    """Whatever is in a message, a log collector reads it back as it was."""
    told = line("two\nlines and %s", '\N{SNOWMAN} "quotes"')
    assert "\n" not in told
    read = json.loads(told)
    assert read["message"] == 'two\nlines and \N{SNOWMAN} "quotes"'
    assert (read["level"], read["logger"]) == ("WARNING", "ingest.x")
    assert read["time"].endswith("+00:00")


def test_one_of_several_says_which_it_is() -> None:
    """Several ingesters write to one stream; nobody else's lines name a speaker."""
    assert json.loads(line("ready", speaker="ingester=2/3"))["speaker"] == "ingester=2/3"
    assert "speaker" not in json.loads(line("ready"))


def test_an_error_is_part_of_its_line() -> None:
    """A traceback does not become lines of its own."""
    told = line("it failed", error=ValueError("because"))
    assert "\n" not in told
    assert "ValueError: because" in json.loads(told)["error"]
