"""Hiding what looks like a secret in a command line, before it is kept."""

import re
from collections.abc import Iterable

MASK = "***"
_WORD = r"(?:token|key|api-?key|access-?key|pass(?:word|wd|phrase)?|pwd|secret|credentials?|auth|authorization)"
# a name in which one of these words stands by itself: --api-key, HF_TOKEN, dbPassword; not --tokenizer
_NAME = rf"(?:[\w.-]*[_.-])?{_WORD}(?:[_.-][\w.-]*)?|(?-i:\w*[a-z](?:Token|Key|Password|Secret))"
_NAMED = re.compile(rf"(?i:(?<![\w-])(-*(?:{_NAME}))([\"']?\s*[=:]\s*[\"']?))([^\s\"',&;}}]+)")
_FLAG = re.compile(rf"-+(?i:{_NAME})")
_URL = re.compile(r"(\w+://[^\s/@:]*):[^\s/@]+@")
_KNOWN = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|hf_|sk-|xox[abprs]-|glpat-|AKIA|AIza)[\w-]{8,}"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]+|(?i:(?<=bearer )|(?<=basic ))\S+"
)


def masked(words: Iterable[str]) -> list[str]:
    """Return the words of a command line with *** in the place of secrets.

    Example:
        >>> masked(["train.py", "--lr=0.1", "--token", "abc", "--tokenizer", "bert", "api_key=7f"])
        ['train.py', '--lr=0.1', '--token', '***', '--tokenizer', 'bert', 'api_key=***']
    """
    shown: list[str] = []
    awaited = False  # the word before names a secret, whose value is the next
    for word in words:
        if awaited and not word.startswith("-"):
            shown.append(MASK)
            awaited = False
            continue
        awaited = _FLAG.fullmatch(word) is not None
        text = _KNOWN.sub(MASK, _URL.sub(rf"\1:{MASK}@", word))
        shown.append(_NAMED.sub(rf"\1\2{MASK}", text))
    return shown
