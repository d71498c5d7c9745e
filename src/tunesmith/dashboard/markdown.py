"""Markdown of notes, made safe: no HTML, no pictures, and links only to where a link may lead."""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)


def _open_link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    place: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    tokens[place].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, place, options, env)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable(["image", "heading", "lheading"])
    parser.validateLink = lambda url: _LINK.match(url) is not None  # type: ignore[method-assign]  # as its docs say
    parser.add_render_rule("link_open", _open_link)
    return parser


_MARKDOWN = _parser()


def rendered(text: str) -> Markup:
    """Return a note as HTML."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - made of escaped text by the parser
