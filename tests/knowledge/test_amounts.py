import pytest

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.amounts import Size, amount, holds


@pytest.mark.parametrize(
    "text, expected",
    [
        (3, 3.0),
        ("n / 4", 25.0),
        ("max(2, min(50, n / (5 * classes)))", 6.666666666666667),
        ("1 / sqrt(p)", 0.25),
        ("log2(p) - -1", 5.0),
        ("2 ** -3 + p", 16.125),
        ("0.1 * spread - balance", 4.5),
    ],
)
def test_an_amount_is_a_number_of_the_size(text: str | float, expected: float) -> None:
    """Arithmetic of rows, columns and classes."""
    assert amount(text, Size(n=100, p=16, classes=3, balance=0.5, spread=50)) == pytest.approx(
        expected
    )


def test_what_is_not_known_limits_nothing() -> None:
    """Rows that are not known are infinitely many; where a number is needed, a small table's."""
    assert amount("min(100, n / 4)", Size()) == 100
    assert amount("1 / p", Size().assumed()) == 0.05


def test_a_comparison_holds_for_some_data() -> None:
    """One amount is below another; without a comparison it holds for all."""
    assert holds("balance < 0.5", Size(balance=0.2))
    assert not holds("balance < 0.5", Size())
    assert holds("10 * p < n", Size(n=1000, p=3))
    assert holds("", Size())
    for text in ("balance", "balance > 0.5", "1 < 2 < 3"):
        with pytest.raises(SettingError, match="is no number of n"):
            holds(text, Size())


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "n.real", "rows", "n if p else 2", "'a'", "True", "n / 0", "(", "n[0]",
        "sqrt(-1)", "min()", "f(n)", "max(n, key=p)", "n % 2",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """Nothing but the arithmetic is evaluated."""
    with pytest.raises(SettingError, match="is no number of n, p, classes, balance and spread"):
        amount(text, Size(n=100, p=16))
