import pytest

from tunesmith.plots import registry
from tunesmith.testing.plots import PictureConformance


class TestRegistered(PictureConformance):
    @pytest.fixture(params=list(registry))
    def picture(self, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name
