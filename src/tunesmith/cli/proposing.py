"""Proposing a range for an option, from its name, type and default; each with its reason.

The rules are tables of words: the first row with a word of the name decides. A rule is a proposal
to be corrected by whoever knows the program; the default always lies inside.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

from tunesmith.cli.reading import Option
from tunesmith.knowledge.metrics import has_word

Settings: TypeAlias = dict[str, Any]


@final
@dataclass(frozen=True)
class Proposal:
    """What an option might be tuned over.

    Attributes:
        option: The option.
        reason: Why so, in words.
        name: The parameter; a flag that turns something off has another name than its option.
        settings: Type and range as space.toml has them; empty: better not tuned.
    """

    option: Option
    reason: str
    name: str = ""
    settings: Settings = field(default_factory=dict)


_NOT_TUNED: tuple[tuple[str, str], ...] = (
    (r"seed|random_state|rng", "a seed is luck, no setting"),
    (
        r"epoch|epochs|iteration|iterations|iters|niter|steps|rounds|budget|early|patience",
        "what a trial spends; give it in the command, the same for all",
    ),
    (
        (
            r"verbose|verbosity|quiet|debug|silent|dry|interval|freq|frequency|every|print|wandb"
            r"|tensorboard|project|tag|tags|experiment|run|notes|version|plot|profile|visualize"
            r"|display|progress"
        ),
        "what is shown, not what is learnt",
    ),
    (
        (
            r"path|dir|directory|folder|file|root|output|out|input|data|dataset|log|logdir|logging|save"
            r"|load|resume|checkpoint|checkpoints|ckpt|pretrained|url|host|port|config|cfg|cache"
        ),
        "a place, no setting",
    ),
    (
        (
            r"device|cuda|gpu|gpus|cpu|mps|tpu|mlu|xla|accel|accelerator|worker|workers|threads|jobs"
            r"|nproc|procs|processes|rank|world|backend|dist|distributed|pin|amp|fp16|bf16|compile"
        ),
        "how it runs, not what it learns",
    ),
    (
        r"only|sample|generate|predict|infer|inference|export|overwrite|force|benchmark|list",
        "something else that the script can do",
    ),
    (
        r"test|eval|evaluate|evaluation|val|valid|validation|download|subset|limit|metric|folds?|cv|splits?",
        "it would change the yardstick",
    ),
)
_TUNED_ALL_THE_SAME = r"lr|rate|drop|dropout|warmup|decay|batch|layers"


def proposal(option: Option) -> Proposal:
    """Return a range for an option, or the reason why there is none.

    Example:
        >>> found = proposal(Option("lr", "float", 0.001, flag="--lr"))
        >>> found.settings["low"], found.settings["high"], found.settings["log"]
        (1e-05, 0.1, True)
    """
    name = option.name
    if not option.flag:
        return Proposal(option, "positional; give it in the command")
    for words, reason in _NOT_TUNED:
        known = option.kind in ("float", "int") and has_word(name, _TUNED_ALL_THE_SAME)
        if has_word(name, words) and not (known and (words, reason) != _NOT_TUNED[-1]):
            return Proposal(option, reason)
    if option.choices:
        return _choices(option)
    match option.kind:
        case "flag":
            return _flag(option)
        case "float":
            return _float(option)
        case "int":
            return _int(option)
        case "list":
            return Proposal(option, "takes several values; give it in the command")
        case "text":
            return Proposal(
                option, 'any text; to tune it, list what it may be: choices = ["a", "b"]'
            )
    return Proposal(option, "its type says no range")


def _choices(option: Option) -> Proposal:
    settings: Settings = {"type": "Categorical", "choices": list(option.choices)}
    numbers = all(isinstance(c, int | float) for c in option.choices)
    if numbers and list(option.choices) == sorted(option.choices):
        settings["type"] = "Ordinal"
    if option.default in option.choices:
        settings["default"] = option.default
    return Proposal(option, "its own choices", option.name, settings)


def _flag(option: Option) -> Proposal:
    if option.default and not option.no:
        return Proposal(option, "on by default, and no flag turns it off")
    name = option.no if option.default else option.name
    settings: Settings = {"type": "Categorical", "choices": [False, True], "default": False}
    return Proposal(option, "a flag, there or not", name, settings)


def _range(kind: str, low: float, high: float, default: Any, *, log: bool = False) -> Settings:
    if kind == "Int":
        low, high = round(low), round(high)
    else:
        low, high = _round(low), _round(high)
    settings: Settings = {"type": kind, "low": low, "high": high}
    if log:
        settings["log"] = True
    if default is not None:
        settings["low"], settings["high"] = min(low, default), max(high, default)
        settings["default"] = default
    return settings


def _round(value: float) -> float:
    """Three significant digits: a range is read by people."""
    return float(f"{value:.3g}")


def _rate(d: float) -> tuple[Settings, str]:
    high = min(100 * d, max(1.0, 10 * d))
    reason = "a learning rate: log scale, up to a factor of 100 around the default"
    return _range("Float", d / 100, high, d, log=True), reason


def _penalty(d: float) -> tuple[Settings, str]:
    if d == 0:
        reason = "a penalty: log scale; its default 0 has no place there, 1e-6 is next to nothing"
        return _range("Float", 1e-6, 0.1, 1e-6, log=True), reason
    reason = "a penalty: log scale, a factor of 100 around the default"
    return _range("Float", d / 100, 100 * d, d, log=True), reason


def _dropout(d: float) -> tuple[Settings, str]:
    return _range("Float", 0.0, 0.9, d), "a dropout: 0 to 0.9"


def _momentum(d: float) -> tuple[Settings, str]:
    low = 0.5 if d >= 0.5 else 0.0
    return _range("Float", low, 0.999, d), f"a momentum or decay: {low:g} to 0.999"


def _smoothing(d: float) -> tuple[Settings, str]:
    return _range("Float", 0.0, 0.3, d), "a smoothing: 0 to 0.3"


def _share(d: float) -> tuple[Settings, str]:
    low = 0.1 if d >= 0.1 else 0.0
    return _range("Float", low, 1.0, d), f"a share: {low:g} to 1"


Rule: TypeAlias = Callable[[Any], tuple[Settings, str]]

# words of a name, the largest default for which they mean that, and the rule
_FLOATS: tuple[tuple[str, float, Rule], ...] = (
    (r"drop|dropout|droppath", 1.0, _dropout),
    (r"weight_decay|wd|l1|l2|reg|regularization|penalty|lambda|alpha", math.inf, _penalty),
    (r"momentum|beta|betas|gamma|ema|rho|decay", 1.0, _momentum),
    (r"smoothing", 1.0, _smoothing),
    (r"lr|learning_rate|eta|step_size|stepsize", math.inf, _rate),
    (r"subsample|colsample|ratio|fraction|frac|prob|probability|p|rate|mixup|cutmix", 1.0, _share),
)


def _float(option: Option) -> Proposal:
    default = option.default
    if None not in option.bounds:
        low, high = option.bounds
        settings = _range("Float", low, high, default)  # type: ignore[arg-type] # neither is None
        return Proposal(option, "its own range", option.name, settings)
    if has_word(option.name, "eps|epsilon|tol|tolerance"):
        return Proposal(option, "a numerical safeguard, rarely worth tuning")
    if not isinstance(default, int | float):
        return Proposal(option, "no default to start from; to tune it, give low and high")
    default = float(default)
    for words, most, rule in _FLOATS:
        if has_word(option.name, words) and 0 <= default <= most and (default or rule is not _rate):
            settings, reason = rule(default)
            break
    else:
        settings, reason = _around(default)
    return Proposal(option, reason, option.name, _within(settings, option))


def _around(d: float) -> tuple[Settings, str]:
    if d > 0:
        reason = "unknown by name: log scale, a factor of 10 around the default"
        return _range("Float", d / 10, 10 * d, d, log=True), reason
    low, high = (2 * d, 0.0) if d else (0.0, 1.0)
    return _range("Float", low, high, d), "unknown by name: a range that holds the default"


def _batch(d: int) -> tuple[Settings, str]:
    places = [2**k for k in range(21) if d / 4 <= 2**k <= 4 * d]
    choices = sorted({d, *places})
    reason = "a batch size: powers of two around the default"
    return {"type": "Ordinal", "choices": choices, "default": d}, reason


def _kernel(d: int) -> tuple[Settings, str]:
    choices = sorted({1, 3, 5, 7, d})
    return {"type": "Ordinal", "choices": choices, "default": d}, "a kernel: odd sizes"


def _heads(d: int) -> tuple[Settings, str]:
    settings, _ = _batch(d)
    return settings, "heads must divide the width: powers of two around the default"


def _depth(d: int) -> tuple[Settings, str]:
    return _range("Int", 1, max(2 * d, d + 3), d), "a depth: from 1 to twice the default or more"


def _width(d: int) -> tuple[Settings, str]:
    if d >= 8 and d.bit_count() == 1:
        settings, _ = _batch(d)
        return settings, "a width: powers of two around the default"
    reason = "a width: log scale, a factor of 4 around the default"
    return _range("Int", max(1, d // 4), 4 * d, d, log=True), reason


def _count(d: int) -> tuple[Settings, str]:
    reason = "a number of parts: log scale, up to a factor of 10 around the default"
    return _range("Int", max(1, d // 10), 4 * d, d, log=True), reason


_INTS: tuple[tuple[str, Rule], ...] = (
    (r"batch|bs|batchsize|minibatch", _batch),
    (r"kernel|kernel_size|ksize", _kernel),
    (r"head|heads|nhead|nheads", _heads),
    (r"depth|layer|layers|nlayers|blocks|stages|levels", _depth),
    (r"hidden|units|dim|width|embed|embd|embedding|channels|filters|size|features|d_model|neurons", _width),
    (r"estimators|trees|leaves|neighbors|neighbours|components|clusters", _count),
)  # fmt: skip


def _int(option: Option) -> Proposal:
    default = option.default
    if None not in option.bounds:
        low, high = option.bounds
        settings = _range("Int", low, high, default)  # type: ignore[arg-type] # neither is None
        return Proposal(option, "its own range", option.name, settings)
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    if not isinstance(default, int):
        return Proposal(option, "no default to start from; to tune it, give low and high")
    rule = next((rule for words, rule in _INTS if has_word(option.name, words)), None)
    if rule is not None and default > 0:
        settings, reason = rule(default)
    elif default > 0:
        settings = _range("Int", max(1, default // 4), 4 * default, default, log=True)
        reason = "unknown by name: log scale, a factor of 4 around the default"
    elif default < 0:
        return Proposal(option, f"{default} stands for something else than a number, such as none")
    else:
        settings = _range("Int", 0, 10, default)
        reason = "unknown by name: a range that holds the default"
    return Proposal(option, reason, option.name, _within(settings, option))


def _within(settings: Settings, option: Option) -> Settings:
    """Keep the one bound that the option has itself."""
    low, high = option.bounds
    if "low" in settings and low is not None:
        settings["low"] = max(settings["low"], low)
    if "high" in settings and high is not None:
        settings["high"] = min(settings["high"], high)
    return settings


def toml_value(value: Any) -> str:
    """Return a value in TOML.

    Example:
        >>> toml_value({"type": "Float", "low": 1e-05, "log": True})
        '{type = "Float", low = 1e-05, log = true}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_value(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def toml_key(name: str) -> str:
    """Return a name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
