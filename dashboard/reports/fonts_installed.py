"""Folders of the packages of fonts."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = {
    "justmytype_western_core": ("inter", "notosans", "notosanssymbols2", "stixtwomath"),
    "justmytype_intl_rtl": ("",),
    "justmytype_intl_south_asia": ("",),
    "justmytype_intl_sea": ("",),
    "justmytype_intl_africa": ("",),
    "noto_cjk_sans_otc": ("",),
}


class MissingFontsError(RuntimeError):
    """A package with fonts is not installed; the message says which."""


@cache
def folders() -> list[str]:
    """Return the folders of the fonts, found once. MissingFontsError when a package is not there."""
    found = []
    for package, parts in _PACKAGES.items():
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingFontsError(f"The fonts of {package} are not installed: install requirements/base.txt.")
        root = Path(spec.submodule_search_locations[0])
        found += [str(root / "fonts" / "ofl" / part if part else root) for part in parts]
    return found
