import pytest

from tunesmith.analysis.curves import side_of, view_of
from tunesmith.records import Objective


@pytest.mark.parametrize(
    "name, side",
    [
        ("val_loss", "validation"),
        ("train_accuracy", "training"),
        ("train/loss", "training"),
        ("valid_0-logloss", "validation"),
        ("testScore", "validation"),
        ("loss", ""),
        ("accuracy", ""),
        ("constraint_loss", ""),
    ],
)
def test_sides_are_recognised_by_words(name: str, side: str) -> None:
    """Whole words of a name count, however they are joined."""
    assert side_of(name)[0] == side


@pytest.mark.parametrize(
    "objective, others, metric, training",
    [
        ("val_loss", ["train_loss"], "val_loss", "train_loss"),
        ("val_loss", ["loss"], "val_loss", "loss"),  # Keras
        ("loss", ["val_loss"], "val_loss", "loss"),  # the objective is of the training
        ("loss", ["train_loss"], "loss", "train_loss"),
        ("train_loss", ["val_loss"], "val_loss", "train_loss"),
        ("test_score", ["train_score", "fit_time"], "test_score", "train_score"),
        ("valid_accuracy", ["train_accuracy", "train_loss"], "valid_accuracy", "train_accuracy"),
        ("accuracy", ["train_loss"], "accuracy", "train_loss"),
        ("val_accuracy", ["val_loss", "loss"], "val_accuracy", "loss"),
        ("accuracy", ["latency_ms", "train_seconds"], "accuracy", ""),
        ("loss", [], "loss", ""),
    ],
)
def test_pairs_of_training_and_validation(
    objective: str, others: list[str], metric: str, training: str
) -> None:
    """The same measure first, else any loss or score of the training; times are none."""
    view = view_of(Objective(objective, "minimize"), [objective, *others])

    assert (view.metric, view.training) == (metric, training)


def test_directions_of_a_pair() -> None:
    """A pair has the objective's direction; another measure of the training that of its name."""
    accuracy = Objective("val_accuracy", "maximize")

    pair = view_of(accuracy, ["val_accuracy", "train_accuracy"])
    other = view_of(accuracy, ["val_accuracy", "train_loss"])
    assert (pair.sign, pair.training_sign, pair.alike) == (-1.0, -1.0, True)
    assert (other.sign, other.training_sign, other.alike) == (-1.0, 1.0, False)
