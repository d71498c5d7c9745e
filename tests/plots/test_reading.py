import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.plots.reading import View, thin
from tunesmith.plots.scales import decades
from tunesmith.plots.words import lines, short, text

FINITE = st.floats(-1e9, 1e9)


@given(st.lists(FINITE, min_size=1, max_size=50), st.sampled_from([1.0, -1.0]))
def test_a_view_shows_the_best(values: list[float], sign: float) -> None:
    """The better half is never cut, and what is cut is counted."""
    array = np.array(values)
    view = View.of(array, sign)

    better = array[np.argsort(sign * array)][: (len(array) + 1) // 2]
    assert not view.past(better).any()
    assert view.low < view.high
    assert int(view.past(array).sum()) <= view.beyond
    assert not view.past(view.clip(array)).any()


def test_one_far_away_is_cut() -> None:
    """A loss of a million does not hide differences of 0.01."""
    view = View.of(np.array([0.31, 0.32, 0.35, 0.33, 1e6]), 1.0)

    assert view.high < 0.5
    assert view.said == f"; ▲ 1 beyond {view.high:.3g}"


def test_values_over_magnitudes_have_a_logarithmic_scale() -> None:
    """Positive losses whose median is far above the best."""
    assert View.of(np.logspace(-6, 3, 10), 1.0).log


@given(st.integers(0, 10_000), st.integers(2, 500))
def test_thinning_keeps_the_ends(n: int, most: int) -> None:
    """At most so many, in order, the first and the last among them."""
    places = thin(n, most)

    assert len(places) == min(n, most)
    assert (np.diff(places) > 0).all()
    assert not n or (places[0], places[-1]) == (0, n - 1)


@given(st.text(max_size=80))
def test_no_text_is_markup(said: str) -> None:
    """What Plotly reads as a tag, a formula or a column is escaped."""
    told = text(said)

    assert not set("<>$\n") & set(told)
    assert "%{" not in told


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300), st.integers(8, 60)
)
def test_long_names_are_cut(said: str, width: int) -> None:
    """At most so many characters; short ones stay as they are."""
    cut = short(said, width)

    assert len(cut) <= width
    assert cut == said or len(said) > width


def test_lines_do_not_begin_with_a_number() -> None:
    """What belongs together stays together."""
    assert lines("recommended, trial 63 with 0.94 ± 0.01", 20) == ["recommended,", "trial\u00a063", "with\u00a00.94\u00a0±\u00a00.01"]  # fmt: skip


@given(st.floats(1e-9, 1e9), st.floats(1.01, 1e12))
def test_logarithmic_axes_have_few_round_ticks(low: float, ratio: float) -> None:
    """At most four, within the range."""
    ticks = decades(low, low * ratio)

    assert len(ticks) <= 4
    assert all(low * 0.999 <= tick <= low * ratio * 1.001 for tick in ticks)


def test_a_logarithmic_axis_has_room_for_its_numbers() -> None:
    """Plotly by itself writes 2 and 5 between those of two decades and more."""
    view = View.of(np.geomspace(1e-4, 10, 50), 1.0)

    assert view.axis["type"] == "log"
    assert view.axis["ticktext"] == ["0.0001", "0.01", "1"]
    assert View.of(np.linspace(1, 2, 9), 1.0).axis["type"] == "linear"
