import pytest

from tunesmith.analysis.signs import sign_of
from tunesmith.analysis.symptoms import Kind


@pytest.mark.parametrize(
    "parameter, kind, direction",
    [
        ("lr", "diverged", "lower"),
        ("learning_rate", "unstable", "lower"),
        ("optimizer.sgd.lr", "overshooting", "lower"),
        ("eta0", "too slow", "raise"),
        ("weight_decay", "overfitting", "raise"),
        ("alpha", "underfitting", "lower"),
        ("dropout", "overfitting", "raise"),
        ("dropout_rate", "underfitting", "lower"),
        ("units", "underfitting", "raise"),
        ("max_depth", "overfitting", "lower"),
        ("model__max_depth", "underfitting", "raise"),
        ("min_samples_leaf", "overfitting", "raise"),
        ("n_estimators", "still improving", "raise"),
        ("batch_size", "too slow", "lower"),
        ("momentum", "overshooting", "lower"),
    ],
)
def test_what_is_known_gives_a_direction(parameter: str, kind: Kind, direction: str) -> None:
    """By the sentences of `knowledge`, or of the few parameters that it does not have."""
    sign = sign_of(parameter, kind)

    assert sign is not None
    assert sign.direction == direction


def test_what_is_not_known_gives_none() -> None:
    """A stranger, a parameter that has nothing to do with it, and one that is a choice."""
    assert sign_of("flavour", "diverged") is None
    assert sign_of("max_depth", "diverged") is None
    assert sign_of("n_clusters", "too slow") is None


def test_the_source_is_named() -> None:
    """The text names the command that shows the sources, or the paper."""
    lr, dropout = sign_of("lr", "diverged"), sign_of("dropout", "overfitting")

    assert lr is not None
    assert dropout is not None
    assert "tunesmith explain learning_rate_init" in lr.text
    assert "2014" in dropout.text
