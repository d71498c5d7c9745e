"""A report in a file, in the form that its ending says."""

from pathlib import Path

from tunesmith._core.errors import SettingError
from tunesmith.report.answers import Answers
from tunesmith.report.html import html
from tunesmith.report.markdown import markdown

FORMS = {".html": html, ".md": markdown}


def save(a: Answers, path: Path) -> None:
    """Write a report to a file; one that is there is replaced.

    Raises:
        SettingError: The file has another ending than reports have.
        MissingExtra: A page needs what is not installed.
        OSError: It cannot be written.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise SettingError(
            f"a report's name ends in .html, for a page with pictures, or .md, for Markdown, got {str(path)!r}"
        )
    path.write_text(form(a), "utf-8")
