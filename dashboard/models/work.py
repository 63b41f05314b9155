"""Tasks that somebody asked for, kept until a worker has ended them: the queue in Redis may lose what it holds."""

from django.db import models


class AskedTask(models.Model):
    """A Celery task written down in the transaction of the act that asks for it, and deleted when it has ended.

    `task` is the task's name, `arguments` its keywords. A task not taken up by `queue_again_at` is queued again.
    """

    task = models.CharField(max_length=80)
    arguments = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    queue_again_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Asked task {self.pk}: {self.task}"
