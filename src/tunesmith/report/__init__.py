"""Reports: what a study has come to, for who was not there.

A report is a function of a history and a few facts (`Facts`): sections of sentences and tables (`sections`), written as one page of
HTML that loads nothing (`html`), or as Markdown for a pull request (`markdown`).
"""

from tunesmith.report.answers import Answers, Facts
from tunesmith.report.html import html
from tunesmith.report.markdown import markdown
from tunesmith.report.saving import save
from tunesmith.report.sparkline import incumbents, sparkline, trail

__all__ = ["Answers", "Facts", "html", "incumbents", "markdown", "save", "sparkline", "trail"]
