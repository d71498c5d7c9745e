"""The library's sentences, which speak to Python, in the words of the command line."""

import re

_OPTIONS = {
    "trials": "--trials",
    "more": "--more",
    "timeout": "--timeout",
    "workers": "--workers",
    "max_failures": "--max-failures",
    "retries": "--retries",
    "trial_timeout": "--trial-timeout",
    "trial_memory": "--trial-memory",
    "lease_s": "--lease",
    "name": "--name",
    "storage": "--storage",
    "data": "--data",
    "files": "--files",
    "seed": "--seed",
    "replicates": "--replicates",
    "objective": "--objective",
}
_ARGUMENT = re.compile(rf"(?<![\w.=\"'-])({'|'.join(_OPTIONS)})=(?:\"([^\"]*)\"|([\w.]+))?")
_PHRASES = (  # whole pieces of advice that only Python can follow
    (r", timeout=3600 \(seconds\), or until=\S+", " or timeout=3600 (seconds)"),
    (r"Study\(\.\.\., (files=\"[^\"]*\")\)", r"\1"),
    (r" load and delete take the path first, then the name", ""),
    (
        r"Give this one another name, open that one with ts\.load\(.*?, '(.*?)'\), or remove it .*",
        r"Give this one another name=, or remove that one with `tunesmith delete \1`",
    ),
)
_KEPT = "Everything is kept;"  # before it stand the words of a trial, which are not ours


def typed(text: str) -> str:
    """Return a sentence with Python's arguments as options.

    Example:
        >>> typed('trials=5 in all, or more=50; name="..." keeps it, max_failures= allows more')
        '--trials 5 in all, or --more 50; --name ... keeps it, --max-failures allows more'
        >>> typed('name one: Study(..., files="s3://bucket/folder")')
        'name one: --files s3://bucket/folder'
    """
    theirs, kept, ours = text.rpartition(_KEPT)
    for phrase, instead in _PHRASES:
        ours = re.sub(phrase, instead, ours, flags=re.DOTALL)
    return theirs + kept + _ARGUMENT.sub(_option, ours)


def _option(found: re.Match[str]) -> str:
    name, quoted, value = found.groups()
    return " ".join(word for word in (_OPTIONS[name], quoted or value) if word)
