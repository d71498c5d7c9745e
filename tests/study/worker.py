"""A process that asks and tells on a shared study, and says on its output what it was promised."""

import sys

import tunesmith as ts


def main() -> None:
    path, trials, sampler = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    study = ts.Study(
        {"x": ts.Float(0, 1), "k": ts.Int(1, 10_000)},
        minimize="loss",
        name="s",
        storage=path,
        seed=0,
        sampler=ts.samplers.registry.get(sampler)(),
    )
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(trials):
        trial = study.ask()
        if sampler == "random":
            trial.report(1, loss=trial["x"])
            trial.note("seen")
        study.tell(trial, trial["x"])
        print(trial.number, trial.attempt, repr(trial["x"]), flush=True)


if __name__ == "__main__":
    main()
