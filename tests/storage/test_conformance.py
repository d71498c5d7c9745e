"""Every registered storage keeps the contract."""

from pathlib import Path

import pytest

from tunesmith.storage import Storage, connect, registry
from tunesmith.testing.storages import Reopen, StorageConformance

ADDRESSES = {
    "jsonl": "jsonl:///{folder}/tune smith.jsonl",
    "memory": "memory",
    "sqlite": "sqlite:///{folder}/tune smith.db",
}


class TestRegistered(StorageConformance):
    @pytest.fixture(params=list(registry))
    def storage(self, request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
        if request.param == "postgresql":
            return connect(request.getfixturevalue("database"))
        return connect(ADDRESSES[request.param].format(folder=tmp_path))

    @pytest.fixture
    def reopen(self, storage: Storage) -> Reopen | None:
        return None if storage.url == "memory" else lambda: connect(storage.url)
