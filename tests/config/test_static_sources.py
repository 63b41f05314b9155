"""`bin/run` collects static files anew whenever the code has changed that makes some of them."""

import ast
from pathlib import Path

from django.conf import settings

from config.local import embedded
from config.local.run import static_sources


def imported(module: str) -> set[str]:
    """Return the module and those of `dashboard` that it imports, with theirs."""
    path = Path(embedded.BASE_DIR, *module.split("."))
    file = path.with_suffix(".py")
    if not file.exists():
        return set()
    found = {module}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dashboard"):
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                if name not in found:
                    found |= imported(name)
    return found


def test_all_that_makes_static_files_is_looked_at() -> None:
    finders = {path.rpartition(".")[0] for path in settings.STATICFILES_FINDERS if path.startswith("dashboard.")}
    modules = set().union(*(imported(module) for module in finders))
    assert {"dashboard.charts.plotly_js.javascript", "dashboard.web.fonts", "dashboard.web.styles"} <= modules
    files = {embedded.BASE_DIR.joinpath(*module.split(".")).with_suffix(".py") for module in modules}
    assert files <= set(static_sources())


def test_each_is_there_once() -> None:
    sources = static_sources()
    assert all(path.exists() for path in sources)
    assert len(sources) == len(set(sources))
    assert embedded.BASE_DIR / "static" / "css" / "fonts.css" in sources
