"""What Tunesmith itself costs: suggestions in memory, imports, a fresh process, an installation.

    python bench/overhead.py [--optuna PYTHON] [--install]

`--optuna` names the Python of an environment that has Optuna, to be measured in the same run;
`--install` measures a plain installation in a new environment (half a minute).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import child, header, table

ASK_TELL = """
import time
import tunesmith as ts
from measure import space
n, done = int(sys.argv[1]), 0
study = ts.Study(space(10), minimize="loss", seed=0, sampler=ts.samplers.Random())
for mark in (n - min(1000, n // 2), n):
    begun, first = time.process_time(), done
    while done < mark:
        trial = study.ask()
        study.tell(trial, 0.5)
        done += 1
out["ms"] = 1e3 * (time.process_time() - begun) / (done - first)
"""

OPTUNA_ASK_TELL = """
import time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
n, done = int(sys.argv[1]), 0
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
for mark in (n - min(1000, n // 2), n):
    begun, first = time.process_time(), done
    while done < mark:
        trial = study.ask()
        for i in range(10):
            trial.suggest_float(f"p{i}", 1e-5, 1e-1, log=bool(i % 2))
        study.tell(trial, 0.5)
        done += 1
out["ms"] = 1e3 * (time.process_time() - begun) / (done - first)
"""

FRESH = """
import tunesmith as ts
ts.minimize(lambda t: (t["x"] - 2) ** 2, {"x": ts.Float(-10, 10)}, trials=30, progress=False)
"""

OPTUNA_FRESH = """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
optuna.create_study().optimize(lambda t: (t.suggest_float("x", -10, 10) - 2) ** 2, n_trials=30)
"""


def best_of(code: str, *args: str, key: str = "cpu", python: str = sys.executable) -> float:
    """The least of five runs: what the machine's other work adds is not ours."""
    return min(float(child(code, *args, python=python)[key]) for _ in range(5))


def installation() -> tuple[int, float]:
    """Return packages and MB of a plain installation, pip and setuptools left out."""
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", str(root)], check=True)
        uninstall = [python, "-m", "pip", "uninstall", "-q", "-y", "setuptools"]
        subprocess.run(uninstall, check=True)
        (site,) = Path(folder).glob("lib/python*/site-packages")
        packages = [p for p in site.glob("*.dist-info") if not p.name.startswith("pip-")]
        files = (p for p in site.rglob("*") if p.is_file() and p.parts[len(site.parts)] != "pip")
        return len(packages), sum(p.stat().st_size for p in files) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optuna", metavar="PYTHON", help="Python of an environment with Optuna")
    parser.add_argument("--install", action="store_true", help="measure an installation as well")
    options = parser.parse_args()
    header()

    rows = []
    for n in (1_000, 10_000, 100_000):
        ours = float(child(ASK_TELL, str(n))["ms"])
        line = f"{ours:.3f} ms"
        if options.optuna and n <= 10_000:
            line += f" (Optuna {child(OPTUNA_ASK_TELL, str(n), python=options.optuna)['ms']:.3f})"
        rows.append((f"ask+tell in memory, Random, 10 parameters, trial {n:,}", "0.12 ms", line))
    imported = best_of("import tunesmith") - best_of("")
    fresh = best_of(FRESH)
    import_line, fresh_line = f"{imported:.2f} s", f"{fresh:.2f} s"
    if options.optuna:
        theirs = best_of("import optuna", python=options.optuna) - best_of("")
        import_line += f" (Optuna {theirs:.2f})"
        fresh_line += f" (Optuna {best_of(OPTUNA_FRESH, python=options.optuna):.2f})"
    rows.append(("import tunesmith, CPU", "0.12 s", import_line))
    rows.append(("fresh process to the end of 30 trials, CPU", "0.8 s", fresh_line))
    if options.install:
        packages, megabytes = installation()
        rows.append(("packages / MB installed", "11 / 240", f"{packages} / {megabytes:.0f}"))
    table("Overhead", rows)


if __name__ == "__main__":
    main()
