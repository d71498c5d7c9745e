"""A forest of regression trees, grown all at once: what explains thousands of trials in a second.

Columns become a few bins, the same for all trees; in a level all nodes of all trees are split together, by sums over
bins (`numpy.bincount`). A parameter that is not active has a bin of its own, the first. Trees come in groups: those of a
group are grown on one bootstrap sample of the trials, so that what groups differ in is what other trials might have said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.numerics.arrays import Bools, Floats, Ints

BINS = 32  # of a number, besides the one of what is not active
GROUPS, TREES = 20, 3  # groups, and trees of each
MOST = 2000  # trials that a tree is grown of
LEAF = 5  # trials, at least
DEPTH = 14
SHARE = 0.7  # of the parameters, which are looked at in a node
ENTRIES = 2_000_000  # of an array, at most: nodes are split so many at once


@final
class Bins:
    """The map from units (n, d) to bins (n, d): 0 where a parameter is not active.

    A category is a bin, if there are no more than `BINS`; else those of alike outcomes share one, and have an order by these.

    Args:
        units: Of which bins are made, NaN where a parameter is not active.
        levels: How many categories each parameter has (d,), 0 if it has an order.
        y: Outcomes (n,).

    Attributes:
        count: How many bins there are.
        labelled: Which parameters have bins without an order (d,).
    """

    count = 1 + BINS

    def __init__(self, units: Floats, levels: Sequence[int], y: Floats) -> None:
        self._levels = np.array(levels, dtype=np.int64)
        self.labelled = (self._levels > 0) & (self._levels <= BINS)
        self._edges = [_edges(units[:, j]) for j in range(units.shape[1])]
        self._groups = {j: _groups(units[:, j], levels[j], y) for j in self._crowded()}

    def _crowded(self) -> list[int]:
        return np.flatnonzero(self._levels > BINS).tolist()

    def __call__(self, units: Floats) -> Ints:
        found = np.zeros(units.shape, dtype=np.int64)
        for j, size in enumerate(self._levels):
            u = units[:, j]
            here = ~np.isnan(u)
            if size:
                label = _labels(u[here], size)
                found[here, j] = 1 + (self._groups[j][label] if j in self._groups else label)
            else:
                found[here, j] = 1 + np.searchsorted(self._edges[j], u[here], side="right")
        return found


def _labels(u: Floats, size: int) -> Ints:
    return np.minimum((u * size).astype(np.int64), size - 1)


def _groups(u: Floats, size: int, y: Floats) -> Ints:
    """Which of the bins each of `size` categories is in, by the mean of its outcomes and one of all."""
    here = ~np.isnan(u)
    label = _labels(u[here], size)
    n, total = np.bincount(label, minlength=size), np.bincount(label, y[here], size)
    means = (total + y.mean()) / (n + 1)
    ranks = np.argsort(np.argsort(means, kind="stable"), kind="stable")
    return np.asarray(ranks * BINS // size)


def _edges(u: Floats) -> Floats:
    """Where bins meet: half of them hold equally many trials, half are equally wide."""
    u = u[~np.isnan(u)]
    if not len(u):
        return np.empty(0)
    distinct = np.unique(u)
    if len(distinct) <= BINS:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2)
    half = np.linspace(0, 1, BINS // 2 + 1)[1:-1]
    return np.unique(np.concatenate([half, np.quantile(u, half)]))


@final
@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of all trees (k,): where a configuration goes from each.

    Attributes:
        feature: The parameter that is asked.
        left: Whether a bin of it leads to the first of the two next nodes (k, bins).
        child: The first of the two next nodes; itself where there is none.
        value: The mean of the trials in it.
    """

    feature: Ints
    left: Bools
    child: Ints
    value: Floats


@final
class Forest:
    """Regression trees that were bagged.

    Args:
        units: Of the trials (n, d), NaN where a parameter is not active; n at least 2.
        levels: How many categories each parameter has (d,), 0 if it has an order.
        y: What is to be explained (n,).
        rng: Luck.

    References:
        L. Breiman. Random Forests. Machine Learning 45, 2001.
        J. Sexton, P. Laake. Standard errors for bagged and random forest estimators. Computational Statistics and
        Data Analysis 53, 2009: groups of trees of one bootstrap sample.
    """

    def __init__(
        self, units: Floats, levels: Sequence[int], y: Floats, rng: np.random.Generator
    ) -> None:
        self._bins = Bins(units, levels, y)
        self._codes, self._y = self._bins(units), y
        n, size = len(y), min(len(y), MOST)
        drawn = rng.integers(n, size=(GROUPS, n))
        self._unseen = np.ones((GROUPS, n), dtype=bool)
        np.put_along_axis(self._unseen, drawn, values=False, axis=1)
        rows = np.repeat(drawn, TREES, axis=0)
        if size < n:
            rows = np.take_along_axis(rows, rng.integers(n, size=(len(rows), size)), axis=1)
        self._mean = float(y.mean())
        self._nodes = _grown(self._codes, y - self._mean, rows, self._bins, rng)

    def groups(self, units: Floats) -> Floats:
        """Return what each group of trees expects (GROUPS, n) at units (n, d)."""
        return self._of_groups(self._bins(units))

    def explained(self, rows: Ints) -> float:
        """Return the share of the variance of some trials (k,) that is foreseen, of each by the groups that have not seen it."""
        unseen = self._unseen[:, rows]
        told = (self._of_groups(self._codes[rows]) * unseen).sum(axis=0)
        counts, y = unseen.sum(axis=0), self._y[rows]
        missed = np.where(counts > 0, y - told / np.maximum(counts, 1), y - self._mean)
        spread = float(((y - y.mean()) ** 2).sum())
        return max(0.0, 1 - float((missed**2).sum()) / spread) if spread else 0.0

    def _of_groups(self, codes: Ints) -> Floats:
        trees = self._of_trees(codes)
        return np.asarray(trees.reshape(GROUPS, TREES, -1).mean(axis=1))

    def _of_trees(self, codes: Ints) -> Floats:
        """What each tree expects (trees, n) at bins (n, d)."""
        nodes, (n, d) = self._nodes, codes.shape
        flat, columns = codes.ravel(), np.arange(n) * d
        place = np.repeat(np.arange(GROUPS * TREES)[:, None], n, axis=1)
        width = nodes.left.shape[1]
        left = nodes.left.ravel()
        for _ in range(DEPTH):
            code = flat[columns + nodes.feature[place]]
            place = nodes.child[place] + ~left[place * width + code]
        return np.asarray(nodes.value[place] + self._mean)


def _grown(codes: Ints, y: Floats, rows: Ints, bins: Bins, rng: np.random.Generator) -> Nodes:
    """Grow trees of the trials in `rows` (trees, m), of bins `codes` (n, d) and outcomes y (n,)."""
    labelled, width = bins.labelled, bins.count
    trees, d = len(rows), codes.shape[1]
    q = max(1, round(SHARE * d))
    at_once = max(1, ENTRIES // (q * width))
    row = rows.ravel()
    node = np.repeat(np.arange(trees), rows.shape[1])  # among those of the level
    target = y[row]
    features: list[Ints] = []
    lefts: list[Bools] = []
    children: list[Ints] = []
    values: list[Floats] = []
    count, begin = trees, 0  # nodes of the level, and how many there were before
    for depth in range(DEPTH + 1):
        n = np.bincount(node, minlength=count)
        total = np.bincount(node, target, count)
        mean = total / np.maximum(n, 1)
        values.append(mean)
        feature, left = np.zeros(count, dtype=np.int64), np.ones((count, width), dtype=bool)
        split = np.zeros(count, dtype=bool)
        open_ = np.flatnonzero(n >= 2 * LEAF) if depth < DEPTH else np.empty(0, dtype=np.int64)
        for first in range(0, len(open_), at_once):
            some = open_[first : first + at_once]
            place = np.full(count, -1)
            place[some] = np.arange(len(some))
            of = np.flatnonzero(place[node] >= 0)
            here = place[node[of]]
            asked = np.argsort(rng.random((len(some), d)), axis=1)[:, :q]
            its = codes[row[of][:, None], asked[here]]
            best, gain, goes = _best(its, here, target[of], labelled[asked], width, rng)
            fine = gain > 0
            split[some] = fine
            feature[some] = asked[np.arange(len(some)), best]
            left[some[fine]] = goes[fine]
        number = np.cumsum(split) - 1
        child = np.where(split, begin + count + 2 * number, begin + np.arange(count))
        features.append(feature)
        lefts.append(left)
        children.append(child)
        if not split.any():
            break
        here = split[node]
        row, node, target = row[here], node[here], target[here]
        node = 2 * number[node] + ~left[node, codes[row, feature[node]]]
        begin, count = begin + count, 2 * int(split.sum())
    return Nodes(
        np.concatenate(features),
        np.concatenate(lefts),
        np.concatenate(children),
        np.concatenate(values),
    )


def _best(
    codes: Ints,
    node: Ints,
    y: Floats,
    labelled: Bools,
    width: int,
    rng: np.random.Generator,
) -> tuple[Ints, Floats, Bools]:
    """The best split of each node: which of the parameters asked, what it gains, which bins go left.

    Args:
        codes: Bins (m, q) of the parameters that the trial's node asks.
        node: Of each trial (m,).
        y: Outcomes (m,).
        labelled: Which of the parameters asked are categories (k, q): theirs are put in the order of their means,
            among which the best split of a set lies (Breiman et al., CART, 1984, section 4.2).
        width: How many bins there are.
        rng: Luck, among cuts that part the trials alike.
    """
    count, q = labelled.shape
    index = ((node * q)[:, None] + np.arange(q)) * width + codes
    flat = index.ravel()
    shape = count, q, width
    n = np.bincount(flat, minlength=count * q * width).reshape(shape).astype(np.float64)
    s = np.bincount(flat, np.repeat(y, q), count * q * width).reshape(shape)
    order = None
    if labelled.any():
        means = s / np.maximum(n, 1)
        ranks = np.where(n > 0, means, np.inf)
        order = np.where(
            labelled[:, :, None], np.argsort(ranks, axis=2, kind="stable"), np.arange(width)
        )
        n, s = np.take_along_axis(n, order, axis=2), np.take_along_axis(s, order, axis=2)
    below, sums = np.cumsum(n, axis=2), np.cumsum(s, axis=2)
    all_n, all_s = below[:, :, -1:], sums[:, :, -1:]
    above = all_n - below
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = sums**2 / below + (all_s - sums) ** 2 / above - all_s**2 / all_n
    gain[(below < LEAF) | (above < LEAF)] = -np.inf
    gain *= 1 + 1e-9 * rng.random(gain.shape)
    flat_best = gain.reshape(count, -1).argmax(axis=1)
    best, cut = flat_best // width, flat_best % width
    nodes = np.arange(count)
    goes = np.arange(width) <= cut[:, None]
    if order is not None:
        chosen = order[nodes, best]
        unordered = np.empty_like(goes)
        np.put_along_axis(unordered, chosen, goes, axis=1)
        goes = unordered
    return best, gain[nodes, best, cut], goes
