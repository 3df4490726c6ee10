from importlib.metadata import packages_distributions

OURS = ("api", "cli", "config", "ingest", "jobs", "optimizer", "simulator", "storage")


def test_no_other_distribution_claims_our_import_names() -> None:
    """Our packages are bare top-level names, so nothing else installed may ship one of them."""
    owners = packages_distributions()
    assert {
        name: owners.get(name, []) for name in OURS if set(owners.get(name, [])) - {"binround"}
    } == {}
