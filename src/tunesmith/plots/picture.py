"""The contract of a picture: what is drawn, already reduced, and how."""

from abc import ABC, abstractmethod
from typing import Any, Self

from tunesmith.plots.theme import Spec
from tunesmith.records import History


class Picture(ABC):
    """A kind of picture; an object of it is what is drawn of one study.

    That is small, however long the study is: at most some thousand marks, as bins, quantiles or a sample where there
    are more trials. Drawing needs no Plotly: a figure is its JSON.
    """

    @classmethod
    @abstractmethod
    def of(cls, history: History[Any], *args: Any, **settings: Any) -> Self:
        """Return what is to be drawn of a study.

        Raises:
            NoTrials: There is nothing to be seen yet.
            NotSupported: The study is not one of which there is such a picture.
            SettingError: A setting names nothing of this study.
        """

    @abstractmethod
    def draw(self) -> Spec:
        """Return the figure, without its template, as Plotly's JSON.

        Its title says in a sentence what is seen. Texts that come from data are given through `words.text`.
        """
