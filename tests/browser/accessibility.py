"""Rules for every page: WCAG 2.2 AA, as far as axe can tell; and at any width nothing scrolls sideways."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Colors begin to change some frame after the light did, later on a busy machine: three calm frames are the end.
_SETTLED = """async () => {
  const isMoving = (one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity;
  for (let calm = 0, frame = 0; calm < 3 && frame < 600; frame++) {
    await new Promise(requestAnimationFrame);
    calm = document.getAnimations().some(isMoving) ? 0 : calm + 1;
  }
}"""
# Axe rounds: a link of just 24 pixels counts as 23 or 24 by where between two pixels it begins, so by the fonts of the
# machine. Half a pixel to spare holds on every machine. As in axe, a link within a sentence may be as small as its
# words, and another smaller one must stand apart.
_TIGHT_TARGETS = """() => {
  const least = 24.5;
  const inSentence = (node) => {
    if (getComputedStyle(node).display !== "inline") return false;
    let block = node.parentElement;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    let words = "";
    const walk = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(selector)) words += walk.currentNode.data;
    return /\\p{L}|\\p{N}/u.test(words);
  };
  const selector = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  // Bars that stay and what lies above the page cover what scrolls beneath them.
  const layer = (node) => {
    for (let above = node; above !== document.documentElement; above = above.parentElement)
      if (above.matches("[popover], dialog") || /fixed|sticky/.test(getComputedStyle(above).position)) return above;
    return null;
  };
  const isCut = (node, x, y) => {
    for (let above = node.parentElement; above !== document.body; above = above.parentElement) {
      if (getComputedStyle(above).overflow === "visible") continue;
      const { left, right, top, bottom } = above.getBoundingClientRect();
      if (x < left || x > right || y < top || y > bottom) return true;
    }
    return false;
  };
  const found = [...document.querySelectorAll(selector)]
    .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .map((node) => {
      const box = node.getBoundingClientRect();
      return { node, box, layer: layer(node), x: box.left + box.width / 2, y: box.top + box.height / 2 };
    })
    .filter(({ box }) => box.width && box.height && box.right > 0 && box.bottom + scrollY > 0)
    .filter(({ node, x, y }) => !isCut(node, x, y));
  const isSmall = ({ box }) => box.width < least || box.height < least;
  // The circle around a small target may touch no other target, nor the circle of another small one.
  const crowds = (one, other) => {
    if (one.node === other.node || one.layer !== other.layer) return false;
    if (one.node.contains(other.node) || other.node.contains(one.node)) return false;
    if (isSmall(other)) return Math.hypot(one.x - other.x, one.y - other.y) < least;
    const away = (at, from, to) => Math.max(from - at, 0, at - to);
    const [x, y] = [away(one.x, other.box.left, other.box.right), away(one.y, other.box.top, other.box.bottom)];
    return Math.hypot(x, y) < least / 2;
  };
  return found
    .filter((one) => isSmall(one) && !inSentence(one.node) && found.some((other) => crowds(one, other)))
    .map(({ node, box }) => `${box.width.toFixed(1)} x ${box.height.toFixed(1)}: ${node.outerHTML.slice(0, 160)}`);
}"""
_OUTSIDE = """async () => {
  // Until it has drawn, Chromium remembers the width of what was shown before the window had another size.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const scrolls = (node) => getComputedStyle(node).overflowX !== "visible";
  const isCut = (node) => {
    for (let above = node.parentElement; above !== document.body; above = above.parentElement)
      if (scrolls(above)) return true;
    return false;
  };
  const outside = [...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > clientWidth + 0.5 && !isCut(node))
    .map((node) => node.outerHTML.slice(0, 100));
  return [`${scrollWidth} of ${clientWidth} pixels`, ...outside];
}"""


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
    tight = page.evaluate(_TIGHT_TARGETS)
    assert tight == [], f"{what} targets too small and too close to others:\n" + "\n".join(tight)


def assert_fits(page: Page, what: str = "") -> None:
    """Fail with what stands out when the page scrolls sideways."""
    outside = page.evaluate(_OUTSIDE)
    assert outside == [], f"{what} wider than the window:\n" + "\n".join(outside[:12])


def assert_accessible(page: Page) -> None:
    """Fail on any violation of WCAG 2.2 AA that axe finds, in both themes."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate(_SETTLED)
        assert_no_rule_broken(page)
