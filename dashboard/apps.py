from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Rollcall"

    def ready(self) -> None:
        """Listen to publications."""
        from dashboard import receivers  # noqa: F401, PLC0415 - models are loaded only now
