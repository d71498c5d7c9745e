"""A Ray cluster: how close to ideal it works, beside Ray Tune on the same cluster.

    python bench/cluster.py

Two nodes of two CPUs, both on this machine; 200 trials that sleep 0.2 s, so that 10 s would be ideal.
Ray Tune needs more than our extra: `pip install 'ray[tune,client]'`.
"""

import gc
import os
import tempfile
import time
import warnings
from typing import Any

import tunesmith as ts
from measure import header, table

TRIALS, SLEEP_S, PLACES = 200, 0.2, 4
WARM = 8  # trials before the measured ones, while the actors come up
IDEAL_S = TRIALS * SLEEP_S / PLACES


def ours() -> tuple[float, float]:
    """Seconds from the first measured trial to the end of the last, and of the whole run."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=0, sampler=ts.samplers.Random())

    def objective(trial: ts.Trial[dict[str, Any]]) -> float:
        time.sleep(SLEEP_S)
        return float(trial["x"])

    begun = time.perf_counter()
    study.run(objective, trials=TRIALS + WARM, executor="ray", progress=False)
    whole = time.perf_counter() - begun
    records = list(study.history)[WARM:]
    return max(r.ended or 0.0 for r in records) - min(r.started for r in records), whole


def theirs(**settings: Any) -> float:
    """Seconds that Ray Tune's `Tuner` takes."""
    from ray import tune

    def objective(config: dict[str, Any]) -> None:
        time.sleep(SLEEP_S)
        tune.report({"loss": config["x"]})

    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            objective,
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=TRIALS, **settings),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        begun = time.perf_counter()
        tuner.fit()
        return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray leaves files open
        node: dict[str, Any] = {"num_cpus": 2, "object_store_memory": 100_000_000}
        cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        cluster.add_node(**node)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        gc.collect()
    header("ray")
    up, whole = ours()
    tuned, reused = theirs(), theirs(reuse_actors=True)
    table(
        f"{TRIALS} trials of {SLEEP_S} s, {PLACES} at once on two nodes; {IDEAL_S:g} s would be ideal",
        [
            ("Tunesmith, actors up", "90 %", f"{up:.1f} s, {IDEAL_S / up:.0%}"),
            (f"Tunesmith, a run of {TRIALS + WARM} with its start", "", f"{whole:.1f} s"),
            ("Ray Tune, default settings", "", f"{tuned:.1f} s, {IDEAL_S / tuned:.0%}"),
            ("Ray Tune, reuse_actors=True", "", f"{reused:.1f} s, {IDEAL_S / reused:.0%}"),
            ("default Ray Tune / Tunesmith's whole run", "3", f"{tuned / whole:.1f}"),
        ],
    )
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
