"""What the sync tells the rest of the product; the sync itself never imports it."""

from django.dispatch import Signal

# Sent inside publish's transaction, after the mirror is merged and before the account is stamped.
# Arguments: sender (SyncRun), account, run, published_at. A receiver that raises rolls the whole publish back.
published = Signal()
