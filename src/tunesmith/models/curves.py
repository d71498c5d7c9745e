"""Learning curves: what a trial will have in the end, by its reports so far and the study's other curves.

A curve is y(x) = f + d (h(x) - h(1)) + noise, at the share x of the resource: f is its end, d how far
it falls, h the shape. Of shapes there are many drawn beforehand, and those of the curves that were seen to
their end. For a given shape, f and d have a posterior in closed form; shapes weigh by how well they
explain the reports, and those that explained whole curves of this study weigh more from the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
from scipy.special import logsumexp, ndtr

from tunesmith.numerics.arrays import Floats

SHAPES = 512  # drawn beforehand
POINTS = 12  # of a curve's reports, in blocks
MEMORY = 48  # whole curves that are learned from, the last ones
GRID = np.geomspace(1e-3, 1.0, 64)  # shares of the resource at which shapes are kept
PRIOR_MASS = 2.0  # how many whole curves the shapes drawn beforehand are worth
SEEN = 0.9  # share of shapes that were seen, when many were
WEIGHT = 0.25  # of the likelihood: what a shape leaves unexplained errs together along a curve
DOUBT = 0.1  # share of curves that end as no shape foresees: anywhere that others have ended
SPREAD = 2.0  # standard deviation of ends beforehand, in units of the study
NOISES = np.exp([-6.0, -5.0, -4.0, -3.0, -2.0])  # of a seen shape, in units of the study


@final
@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes of curves.

    Attributes:
        rises: h(x) - h(1) at the shares in `GRID` (m, 64).
        noises: Standard deviations of a report (m,), in units of the study.
        falls: Mean of d (m,) and its standard deviation (m,), in units of the study.
        mass: Their weights before any report (m,), as logarithms.
    """

    rises: Floats
    noises: Floats
    falls: tuple[Floats, Floats]
    mass: Floats

    def at(self, shares: Floats) -> Floats:
        """Return h(x) - h(1) (m, t) at shares (t,)."""
        place = np.interp(np.log(shares), np.log(GRID), np.arange(len(GRID)))
        low = np.minimum(place.astype(np.int64), len(GRID) - 2)
        part = place - low
        return self.rises[:, low] * (1 - part) + self.rises[:, low + 1] * part


@final
@dataclass(frozen=True, slots=True)
class Ends:
    """Where a curve may end: a mixture of normal distributions of what is measured there.

    Attributes:
        weights: (m,), their sum is 1.
        means: (m,).
        sds: (m,).
        others: Where the study's whole curves ended (n,).
    """

    weights: Floats
    means: Floats
    sds: Floats
    others: Floats

    def below(self, threshold: float) -> float:
        """Return the probability that the end is below a threshold."""
        foreseen = float(self.weights @ ndtr((threshold - self.means) / self.sds))
        anybody = (1 + (self.others < threshold).sum()) / (1 + len(self.others))
        return (1 - DOUBT) * foreseen + DOUBT * float(anybody)


@cache
def drawn() -> Shapes:
    """Return shapes drawn from a prior over learning curves, always the same.

    References:
        H. Rakotoarison et al. In-context freeze-thaw Bayesian optimization. ICML 2024. Appendix A: a weighted sum
        of a power law, a stretched exponential, an inverse logarithm and a Hill function, each
        of which may leave its course at a point of saturation. Deviation: the level and the
        height of a curve are no part of the draw.
    """
    rng = np.random.default_rng(20240404)
    shape = (SHAPES, 1)
    means, sds = (1.0, 0.0, -4.0, 0.5), (1.0, 1.0, 1.0, 0.5)
    alphas = [np.exp(rng.normal(m, s, shape)) for m, s in zip(means, sds, strict=True)]
    points = 10 ** rng.normal(0, 1, shape) * _normalised(
        rng.gamma(1, size=(SHAPES, 4))
    )  # of saturation
    ratios = 10 ** rng.uniform(0, 3, (SHAPES, 4))  # how far the start is from the end, there
    slopes = 1 - rng.exponential(1, (SHAPES, 4))  # beyond it
    weights = rng.dirichlet(np.ones(4), SHAPES)
    h = np.zeros((SHAPES, len(GRID)))
    for k, alpha in enumerate(alphas):
        point, ratio, slope = points[:, k, None], ratios[:, k, None], slopes[:, k, None]
        beyond = np.maximum(GRID - point, 0)
        x = np.maximum(np.minimum(GRID, point) + slope * beyond, 0) / point
        if k == 0:
            h_k = ((ratio ** (1 / alpha) - 1) * x + 1) ** -alpha
        elif k == 1:
            h_k = ratio ** -(x**alpha)
        elif k == 2:
            log = np.log1p(alpha)
            h_k = log / np.log((np.exp(np.minimum(ratio * log, 700.0)) - 1 - alpha) * x + 1 + alpha)
        else:
            h_k = 1 / (x**alpha * (ratio - 1) + 1)
        h += weights[:, k, None] * h_k
    noises = np.exp(rng.normal(-5, 1, SHAPES))
    falls = np.ones(SHAPES), np.ones(SHAPES)
    return Shapes(h - h[:, -1:], noises, falls, np.full(SHAPES, -np.log(SHAPES)))


def _normalised(draws: Floats) -> Floats:
    """Rows (n, m) divided by their largest."""
    found: Floats = draws / draws.max(1, keepdims=True)
    return found


def blocked(steps: Floats, losses: Floats) -> tuple[Floats, Floats]:
    """Return steps (t,) and losses (t,) of a curve's reports, t at most 12: means of blocks of reports."""
    cuts = np.unique(np.linspace(0, len(steps), POINTS + 1).astype(np.int64))
    sizes = np.diff(cuts)
    return np.add.reduceat(steps, cuts[:-1]) / sizes, np.add.reduceat(losses, cuts[:-1]) / sizes


@final
@dataclass(frozen=True)
class Curves:
    """What is known of the curves of one study.

    Attributes:
        top: The step of the end.
        level: Where curves end, about.
        unit: How far they fall and differ, about.
        ends: Where they ended (n,).
        shapes: Of this study.
    """

    top: int
    level: float
    unit: float
    ends: Floats
    shapes: Shapes

    @classmethod
    def of(cls, top: int, whole: Sequence[tuple[Floats, Floats]]) -> "Curves":
        """Learn from whole curves.

        Args:
            top: The step of the end.
            whole: Steps (n,) and losses (n,) of each curve that was seen to its end; at least one.
        """
        whole = whole[-MEMORY:]
        ends = np.array([losses[-1] for _, losses in whole])
        falls = np.array([losses[0] - losses[-1] for _, losses in whole])
        level = float(np.median(ends))
        # losses may rise without bound, but fall only so far: the best says more of the scale than the worst
        differ = max(1.4826 * float(np.median(np.abs(ends - level))), level - ends.min())
        unit = max(float(np.median(np.abs(falls))), differ, 1e-9 * max(1.0, abs(level)))
        bare = cls(top, level, unit, ends, drawn())
        heard = PRIOR_MASS * np.exp(bare.shapes.mass)
        for steps, losses in whole:
            heard = heard + bare.foresee(steps, losses).weights
        mass = np.log(heard / heard.sum())
        prior = Shapes(bare.shapes.rises, bare.shapes.noises, bare.shapes.falls, mass)
        return cls(top, level, unit, ends, _with_seen(prior, whole, top, unit))

    def foresee(self, steps: Floats, losses: Floats) -> Ends:
        """Return where a curve may end.

        Args:
            steps: Of its reports (n,), n at least 1.
            losses: Likewise.
        """
        at, known = blocked(np.asarray(steps, float), np.asarray(losses, float))
        # one that is far from all others is measured on a scale of its own
        unit = max(self.unit, float(np.abs(known - self.level).max()) / SPREAD)
        y = (known - self.level) / unit  # (t,)
        shapes = self.shapes
        h = shapes.at(np.clip(at / self.top, GRID[0], 1.0))  # (m, t)
        noise = shapes.noises**-2.0  # precisions
        fall, fall_sd = shapes.falls
        # precision matrix [[a, b], [b, c]] and shift (u, v) of the posterior of (f, d) for each shape
        a = len(y) * noise + SPREAD**-2.0
        b = noise * h.sum(1)
        c = noise * (h**2).sum(1) + fall_sd**-2.0
        u = noise * y.sum()
        v = noise * (h @ y) + fall * fall_sd**-2.0
        det = a * c - b * b
        f, d = (c * u - b * v) / det, (a * v - b * u) / det
        fit = (
            noise * (y @ y) + fall**2 * fall_sd**-2.0 - u * f - v * d
            + np.log(det) + 2 * np.log(SPREAD * fall_sd) - len(y) * np.log(noise)
        )  # fmt: skip
        weights = shapes.mass - 0.5 * WEIGHT * fit
        sds = np.sqrt(c / det + 1 / noise)
        return Ends(
            np.exp(weights - logsumexp(weights)),
            self.level + unit * f,
            unit * sds,
            self.ends,
        )


def _with_seen(
    prior: Shapes, whole: Sequence[tuple[Floats, Floats]], top: int, unit: float
) -> Shapes:
    """Shapes drawn beforehand and, beside them, the curves of this study themselves."""
    rows, sizes, roughs = [], [], []
    for steps, losses in whole:
        rise = np.interp(GRID, steps / top, losses) - losses[-1]
        size = float(np.abs(rise).max())
        if size > 0:
            rows.append(rise / size)
            sizes.append(size / unit)
            # what is chance in one curve is chance in the other too: it shall not tell them apart
            second = np.abs(np.diff(losses, 2))
            roughs.append(
                float(np.median(second)) / (0.6745 * 6**0.5 * unit) if len(second) else 0.0
            )
    if not rows:
        return prior
    k = len(NOISES)
    n = len(rows) * k
    rises, falls = np.repeat(np.array(rows), k, axis=0), np.repeat(np.array(sizes), k)
    noises = np.hypot(np.tile(NOISES, len(rows)), 2 * np.repeat(roughs, k))
    share = len(whole) * SEEN / (len(whole) + PRIOR_MASS)
    return Shapes(
        np.concatenate([prior.rises, rises]),
        np.concatenate([prior.noises, noises]),
        (np.concatenate([prior.falls[0], falls]), np.concatenate([prior.falls[1], falls / 2])),
        np.concatenate([prior.mass + np.log1p(-share), np.full(n, np.log(share / n))]),
    )
