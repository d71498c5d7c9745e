import gc
import os
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def client_port() -> int:
    """A port on which Ray listens to clients."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def cluster(client_port: int) -> Iterator[Any]:
    """A Ray cluster of two nodes with two CPUs each, on this machine; this process is connected to it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 2, "object_store_memory": 80_000_000}
    quick = {"health_check_period_ms": 500, "health_check_failure_threshold": 2}
    head = {
        "include_dashboard": False,
        "ray_client_server_port": client_port,
        "_system_config": quick,  # a node that is lost is known to be in a second
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Ray leaves files open
        cluster = Cluster(initialize_head=True, head_node_args=node | head)
        cluster.add_node(**node)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        gc.collect()
    yield cluster
    ray.shutdown()
    cluster.shutdown()
