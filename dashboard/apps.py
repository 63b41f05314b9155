from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Rollcall"

    def ready(self) -> None:
        """Listen to publications, and to migrations, which the database's second wall follows."""
        from dashboard import guarded_writes, receivers, row_security  # noqa: F401, PLC0415 - models are loaded only now
        from dashboard.identity import limits  # noqa: PLC0415
        from dashboard.identity.demo import check_demo_sign_ins  # noqa: PLC0415
        from dashboard.services import time_zones  # noqa: PLC0415

        connection_created.connect(guarded_writes.guard_writes, dispatch_uid="guarded_writes")
        post_migrate.connect(row_security.apply, sender=self, dispatch_uid="row_security")
        post_migrate.connect(time_zones.replace_unknown_time_zones, sender=self, dispatch_uid="time_zones")
        limits.install()
        register(check_demo_sign_ins, Tags.security)
