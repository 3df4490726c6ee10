"""The one exception tree. Every message says what to do next.

    BinroundError
    ├── SettingsError        a setting from the environment cannot be used
    ├── RegionError          a region folder has mistakes; carries every one of them
    ├── FileFormatError      a file given to a command cannot be read; names its line
    ├── FrameError           what a device sent cannot be decoded; names what is missing
    ├── DeviceError          a device cannot be added or changed as asked; names the field
    │   └── DeviceConflictError  it contradicts the registry as it is now
    ├── DatabaseError        no database, a wrong address, or a schema that does not fit
    │   └── StaleResultError   a result that came too late: another worker has the job now
    ├── BrokerError          no broker, or it refuses us
    ├── CrewError            a crew that cannot be written down as it was given
    ├── BackfillError        a network server's storage does not answer, or refuses
    ├── RoadsError           no road engine, or an extract it cannot use
    ├── ProblemError         a routing problem that is not well formed; names its field
    ├── PlanError            a day cannot be planned as it was asked for
    │   └── StalePlanError     what it was made from has changed since; ask anew
    └── SolverError          the solver's process died or ran out of its limits

The command line prints the message as one line and exits with `exit_code`.
"""


class BinroundError(Exception):
    """Anything we raise on purpose. The message is for the person who has to act on it."""

    exit_code = 1


class SettingsError(BinroundError):
    """A setting cannot be used as it stands."""

    exit_code = 2


class RegionError(BinroundError):
    """A region folder has mistakes.

    Attributes:
        mistakes: one line each: file, line, field and what is wrong with it.
    """

    exit_code = 2

    def __init__(self, folder: str, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistakes\n" if len(mistakes) > 1 else ""
        super().__init__(f"region {folder}: {count}" + "\n".join(mistakes))


class FileFormatError(BinroundError):
    """A file cannot be read in the format that was asked for."""

    exit_code = 2


class FrameError(BinroundError):
    """What a device sent cannot be decoded; it becomes a dead letter with this as its reason."""

    exit_code = 2


class DeviceError(BinroundError):
    """A device cannot be added or changed as it was asked for.

    Attributes:
        field: what has to be another one, e.g. `container`.
        told: what is wrong with it, without repeating it.
    """

    exit_code = 2

    def __init__(self, field: str, value: str | None, told: str) -> None:
        self.field, self.told = field, told
        super().__init__(f"{field}: {told}" if value is None else f"{field} {value!r}: {told}")


class DeviceConflictError(DeviceError):
    """What was asked for contradicts the registry as it is now."""


class DatabaseError(BinroundError):
    """The database cannot be reached, or its schema does not fit this version."""


class StaleResultError(DatabaseError):
    """A result came too late: another worker has taken the job over."""


class BrokerError(BinroundError):
    """The MQTT broker cannot be reached, or refuses us."""


class CrewError(BinroundError):
    """A crew cannot be written down as it was given; the message holds no name."""

    exit_code = 2


class BackfillError(BinroundError):
    """A network server's storage does not answer, or refuses; what was fetched is stored.

    Attributes:
        wait_s: for how long it wants to be left alone; 0 when it did not say.
    """

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s
        super().__init__(message)


class RoadsError(BinroundError):
    """Travel times cannot be had from the road engine."""


class ProblemError(BinroundError):
    """A routing problem is not well formed.

    Attributes:
        field: where the mistake is, e.g. `visits[3].service_s`.
    """

    exit_code = 2

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class PlanError(BinroundError):
    """A day cannot be planned as it was asked for."""

    exit_code = 2


class StalePlanError(PlanError):
    """A change was made from tours that are not any more what they were."""


class SolverError(BinroundError):
    """The solver's process died, or ran out of its time or memory."""
