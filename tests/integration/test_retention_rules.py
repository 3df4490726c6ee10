"""No table slips by: each has a rule, and only one of them may know who drove."""

import re
from importlib import resources

import psycopg
import pytest

from storage import retention
from storage.database import Database

pytestmark = pytest.mark.db

# Columns that tie a row to a person by what they are called, and types that may hold anything.
TELLS = re.compile(
    r"vehicle|unit|tour|who|user|crew|driver|person|employee|name|phone|mail"
    r"|lon|lat|position|geometry|payload|raw|frame|topic"
)
HOLDS_ANYTHING = {"bytea", "json", "jsonb"}
HARMLESS = {
    "region": "what the operator declares",
    "fraction": "names of kinds of waste",
    "depot": "places of the operator",
    "facility": "places of the operator",
    "site": "public places",
    "vehicle": "the fleet, without who drives",
    "device": "the registry: a unit and its vehicle, without who drives",
    "device_assignment": "containers of sensors and trucks of units, without who drives",
    "frame": "bytes of sensors at containers, which know no vehicle",
    "calibration": "how distances are read",
    "study": "simulated weeks",
    "stop": "goes with its tour, which has a rule",
    "basis": "goes with its plan, which has a rule",
}
TABLES = """
    SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END || c.relname,
           array_agg(a.attname::text), array_agg(format_type(a.atttypid, NULL))
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
      AND n.nspname !~ '^(pg_|information_schema$|_?timescaledb)'
      AND c.relname !~ '^(procrastinate_|migration$)'
    GROUP BY 1
"""


def suspicious(connection: psycopg.Connection) -> set[str]:
    """Return the tables that may be tied to a person, by names and types of their columns."""
    return {
        table
        for table, columns, types in connection.execute(TABLES)
        if any(TELLS.search(column) for column in columns) or HOLDS_ANYTHING & set(types)
    }


def test_every_table_declares_how_long_it_is_kept(database: Database) -> None:
    """Whatever its schema, it is listed in `storage.retention`, linked to a person or not."""
    declared = {policy.table for policy in retention.POLICIES} | set(retention.KEPT)
    with database.connect() as connection:
        assert {table for table, *_ in connection.execute(TABLES)} <= declared


def test_every_table_linked_to_a_person_has_a_span(database: Database) -> None:
    """One whose columns may tell something of a person has a rule, or is known to tell nothing."""
    spans = {policy.table for policy in retention.POLICIES if policy.person_linked}
    with database.connect() as connection:
        assert suspicious(connection) - spans == HARMLESS.keys()


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE new (at timestamptz, vehicle_id text)",
        "CREATE TABLE new (at timestamptz, anything bytea)",
        "CREATE TABLE new (at timestamptz, anything jsonb)",
        "CREATE TABLE new (at timestamptz, driver_number integer)",
        "CREATE SCHEMA apart; CREATE TABLE apart.new (at timestamptz, lon float)",
        "CREATE MATERIALIZED VIEW new AS SELECT time, lon FROM position",
    ],
)
def test_a_new_table_is_found_whatever_it_is_called(database: Database, made: str) -> None:
    """A table of somebody who does not know this rule makes both tests above fail."""
    with database.connect() as connection:
        before = suspicious(connection)
        connection.execute(made)
        assert {table.rpartition(".")[2] for table in suspicious(connection) - before} == {"new"}
        connection.rollback()


def test_only_the_crew_table_knows_who_drove(database: Database) -> None:
    """Telemetry and plans speak of vehicles; the one table with people has a schema of its own."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT table_schema || '.' || table_name FROM information_schema.columns"
            " WHERE table_schema !~ '^(pg_|information_schema$|_?timescaledb)'"
            " AND (column_name ~ 'driver|person|employee|crew' OR table_schema = 'crew')"
        ).fetchall()
    assert found == [("crew.assignment",)]


def test_no_query_joins_crews_with_anything() -> None:
    """Who drove is read in one file of statements, which reads nothing but the vehicles' names."""
    files = {
        entry.name: entry.read_text("utf-8")
        for entry in (resources.files("storage") / "queries").iterdir()
        if entry.name.endswith(".sql")
    }
    assert [name for name, text in files.items() if re.search(r"\bcrew\b", text)] == ["crew.sql"]
    read = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([\w.]+)", files["crew.sql"])
    assert set(read) == {"crew.assignment", "vehicle"}


def test_a_role_can_be_kept_from_crews(database: Database) -> None:
    """With rights to everything in our schema but to no other, positions are read, crews not."""
    role = f"dispatch_{psycopg.conninfo.conninfo_to_dict(database.dsn)['dbname']}"
    with database.connect(autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role}")
        try:
            owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            owner.execute(f"SET ROLE {role}")
            owner.execute("SELECT * FROM position")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute("SELECT * FROM crew.assignment")
        finally:
            owner.execute("RESET ROLE")
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")
