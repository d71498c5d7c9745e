"""Versions of packages, found without importing any."""

import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# what computes beneath other packages, where nobody's own code may name it
COMPUTING = (
    "numpy", "scipy", "torch", "jax", "jaxlib", "tensorflow", "cupy", "numba", "sklearn", "xgboost",
    "lightgbm", "catboost", "pandas", "polars",
)  # fmt: skip
_DISTRIBUTIONS = {  # where it is not what people import
    "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python", "skimage": "scikit-image",
    "sklearn": "scikit-learn", "yaml": "PyYAML",
}  # fmt: skip
_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.(?:dist|egg)-info")


def versions_of(named: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages, by the name under which they are imported.

    Args:
        named: Packages; of those that are not installed nothing is said. What computes and has been imported
            is added.
    """
    imported = [name for name in COMPUTING if name in sys.modules]
    versions = {name: _version(name) for name in sorted({*named, *imported})}
    return {name: version for name, version in versions.items() if version}


def _version(name: str) -> str:
    module = sys.modules.get(name)
    said = None if module is None else vars(module).get("__version__")
    if isinstance(said, str):
        return str(said)
    distribution = _plain(_DISTRIBUTIONS.get(name, name))
    found = (_installed().get(f"{distribution}{built}", "") for built in ("", "_cpu", "_gpu"))
    return next(filter(None, found), "")


@cache
def _installed() -> dict[str, str]:
    """Versions by the names of distributions, as their folders are called: no file is read."""
    found: dict[str, str] = {}
    for entry in sys.path:
        folder = Path(entry)
        if folder.name in ("site-packages", "dist-packages") and folder.is_dir():
            for one in folder.iterdir():
                if match := _FOLDER.fullmatch(one.name):
                    found.setdefault(_plain(match["name"]), match["version"])
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
