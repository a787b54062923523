from typing import Any

from bench_work import perform
from celery import Celery
from celery_progress.backend import ProgressRecorder

app = Celery("peer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()


@app.task(bind=True, name="job")
def job(self: Any, plan: dict[str, Any]) -> Any:
    """It has no log: each line is shown as the description of the progress."""
    recorder = ProgressRecorder(self)
    return perform(
        plan,
        lambda text: recorder.set_progress(1, 2, text),
        lambda value: recorder.set_progress(value, 100),
    )
