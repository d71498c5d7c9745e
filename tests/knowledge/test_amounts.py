import pytest

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.amounts import Size, amount


@pytest.mark.parametrize(
    "text, expected",
    [
        (3, 3.0),
        ("n / 4", 25.0),
        ("max(2, min(50, n / (5 * classes)))", 6.666666666666667),
        ("1 / sqrt(p)", 0.25),
        ("log2(p) - -1", 5.0),
        ("2 ** -3 + p", 16.125),
    ],
)
def test_an_amount_is_a_number_of_the_size(text: str | float, expected: float) -> None:
    """Arithmetic of rows, columns and classes."""
    assert amount(text, Size(n=100, p=16, classes=3)) == pytest.approx(expected)


def test_what_is_not_known_limits_nothing() -> None:
    """Rows that are not known are infinitely many; where a number is needed, a small table's."""
    assert amount("min(100, n / 4)", Size()) == 100
    assert amount("1 / p", Size().assumed()) == 0.05


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "n.real", "rows", "n if p else 2", "'a'", "True", "n / 0", "(", "n[0]",
        "sqrt(-1)", "min()", "f(n)", "max(n, key=p)", "n % 2",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """Nothing but the arithmetic is evaluated."""
    with pytest.raises(SettingError, match="is no number of n, p and classes"):
        amount(text, Size(n=100, p=16))
