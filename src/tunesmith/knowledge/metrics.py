"""What the names of metrics say: which are better high, and which a script prints."""

import re
from collections.abc import Iterable

_HIGH = (
    "acc|accuracy|auc|auroc|auprc|ap|map|mcc|f1|precision|recall|r2|score|reward|return|bleu|rouge"
    "|iou|miou|dice|psnr|ssim|ndcg|mrr|kappa|elo|throughput"
)
_LOW = (
    "loss|error|err|rmse|mse|mae|mape|rmsle|nll|bpb|cost|perplexity|ppl|wer|cer|fid|latency|time"
    "|distance|deviance|regret"
)


def words_of(name: str) -> list[str]:
    """Return a name in lower-case words.

    Example:
        >>> words_of("valAccuracy-top1")
        ['val', 'accuracy', 'top1']
    """
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|\d+", name)]


def has_word(name: str, words: str) -> bool:
    """Return whether one of `words` (a|b|c), digits after it allowed, is among those of a name.

    Example:
        >>> has_word("hidden-size2", "width|size"), has_word("oversized", "size")
        (True, False)
    """
    return re.search(rf"(?:^|_)(?:{words})\d*(?:_|$)", "_".join(words_of(name))) is not None


def is_high(name: str) -> bool:
    """Return whether a metric is one of those that are better high."""
    return has_word(name, _HIGH) and not has_word(name, _LOW)


def metric_in(texts: Iterable[str]) -> str | None:
    """Return the metric that the last of some printed texts names, or None.

    Example:
        >>> metric_in(["epoch {}, train loss {}", "Test accuracy: {:.3f}"])
        'accuracy'
    """
    pattern = re.compile(
        rf"(?<![\w-])(?P<name>(?:[a-z0-9]+_)?(?:{_HIGH}|{_LOW}))"  # the metric, such as val_loss
        r"(?:\s*[:=]|\s+(?:is\s+)?[{%]|\s*$)",  # and where its number goes
        re.IGNORECASE,
    )
    found = [match["name"] for text in texts for match in pattern.finditer(text)]
    return found[-1].lower() if found else None
