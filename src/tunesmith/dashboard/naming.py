"""Names of studies as one segment of a path.

A name may hold anything: slashes, dots alone, any script. What servers and browsers decode or shorten on the
way is encoded twice, so that it arrives as it was.
"""

from urllib.parse import quote, unquote


def slug(name: str) -> str:
    """Return a name as one segment of a URL's path.

    Example:
        >>> [slug(name) for name in ("digits", "a/b", "..")]
        ['digits', 'a%252Fb', '%252E%252E']
    """
    once = quote(name, safe="")
    return quote(once if once.strip(".") else once.replace(".", "%2E"), safe="")


def name_of(segment: str) -> str:
    """Return the name that a segment stands for, as the server hands it over: decoded once.

    Example:
        >>> name_of("a%2Fb")
        'a/b'
    """
    return unquote(segment)
