"""What no page may break: a rule of WCAG 2.2 AA, as far as axe can tell."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def assert_no_rule_broken(page: Page, what: str = "") -> None:
    """Fail with axe's own report when what the page shows at this moment breaks a rule.

    Only what is broken leaves the browser: what axe found to be good is a hundred times as much, and takes seconds.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    broken = page.evaluate(
        "options => axe.run(options).then(found => found.violations)",
        {"runOnly": RULES, "resultTypes": ["violations"]},
    )
    assert broken == [], f"{what} {AxeResults({'violations': broken}).generate_report()}"
