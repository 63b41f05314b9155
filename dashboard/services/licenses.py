"""The end of a license, entered by an administrator."""

from datetime import date, datetime

from django.utils.translation import gettext as _

from dashboard import audit
from dashboard.models import ContentLicense, User
from dashboard.services.deciding import RefusedError, deciding
from sync.models import ContentItem


def set_license_end(content: ContentItem, ends_on: date | None, *, by: User, at: datetime) -> bool:
    """Keep the last day of a purchase's license, or forget it (None); return whether that changed anything.

    RefusedError for a policy, which nobody buys.
    """
    if content.source != ContentItem.Source.STORE_PURCHASE:
        raise RefusedError(_("Only what was bought has a license."))
    with deciding(content.account):
        kept = ContentLicense.objects.filter(content=content).first()
        old = kept.ends_on if kept else None
        if old == ends_on:
            return False
        if ends_on is None:
            ContentLicense.objects.filter(content=content).delete()
        else:
            ContentLicense.objects.update_or_create(
                content=content,
                defaults={"account": content.account, "ends_on": ends_on, "entered_by": by, "entered_at": at},
            )
        audit.record(
            audit.Action.CHANGED_SETTING,
            account=content.account,
            user=by,
            subject="",
            details={
                "field": "license_ends_on",
                "content": content.knowbe4_id,
                "old": old.isoformat() if old else None,
                "new": ends_on.isoformat() if ends_on else None,
            },
        )
    return True
