"""The logo and the color of an account's reports: what may be one, and setting it."""

import re
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.logos import UnsafeLogoError, safe_logo
from dashboard.models import SettingChange, User
from dashboard.models.branding import Branding
from dashboard.reports.rendering import RenderingError, draw_logo
from dashboard.services.deciding import RefusedError, deciding, record
from sync.models import Account

# Text and lines of that color stand on white: WCAG's contrast for text.
LEAST_CONTRAST = 4.5

_COLOR = re.compile(r"#[0-9a-f]{6}")


def set_branding(
    account: Account, *, by: User, at: datetime, color: str | None = None, logo: bytes | None = None
) -> bool:
    """Set what is given, an empty logo meaning none; return whether anything changed.

    RefusedError, with the reason as a sentence, for a color too pale and for a file that is no safe SVG or PNG.
    """
    shade = checked_color(color) if color is not None else None
    drawing = checked_logo(logo) if logo else "" if logo is not None else None
    with deciding(account):
        found = Branding.objects.filter(account=account).first() or Branding(account=account)
        changes = []
        if shade is not None and shade != found.color:
            changes.append(("report_color", found.color, shade))
            found.color = shade
        if drawing is not None and drawing != found.logo:
            changes.append(("report_logo", _told(found.logo), _told(drawing)))
            found.logo = drawing
        if not changes:
            return False
        found.save()
        for field, old, new in changes:
            record(
                account,
                SettingChange.Subject.ACCOUNT,
                account.pk,
                field,
                old=old,
                new=new,
                by=by,
                at=at,
                reason=_("How reports look"),
            )
    return True


def _told(drawing: str) -> str:
    """Return what the log says of a logo: its size tells one from another."""
    return _("%(n)s bytes") % {"n": len(drawing)} if drawing else _("none")


def checked_color(text: str) -> str:
    """Return a color as #rrggbb; RefusedError for anything else, and for one too pale to read on white."""
    color = text.strip().lower()
    if not _COLOR.fullmatch(color):
        raise RefusedError(_("The color is six digits after a #, like #0c6663."))
    if contrast(color) < LEAST_CONTRAST:
        raise RefusedError(_("That color is too pale on white paper: choose a darker one."))
    return color


def contrast(color: str) -> float:
    """Return the contrast of #rrggbb with white, as WCAG 2.2 defines it: 1 to 21."""
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def checked_logo(content: bytes) -> str:
    """Return a logo as the SVG that is kept of it; RefusedError for what is none, and for what is not drawn at once."""
    try:
        drawing = safe_logo(content)
        draw_logo(drawing)
    except (UnsafeLogoError, RenderingError) as error:
        raise RefusedError(str(error)) from error
    return drawing
