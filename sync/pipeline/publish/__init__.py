"""Publishing a staged sync: one transaction, after which every page shows all of it, or none."""

from sync.pipeline.publish.transaction import publish

__all__ = ["publish"]
