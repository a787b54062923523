"""The driver of the site for django-liveops: makes, starts and inspects operations."""

from typing import Any

import celery_app
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from jobs.models import Job

celery = celery_app.app
USER = get_user_model().objects.get_or_create(username="bench")[0]


def sign_in() -> dict[str, str]:
    """The cookie of a signed-in browser. Signing in itself is not measured."""
    session = SessionStore()
    session[SESSION_KEY] = str(USER.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = USER.get_session_auth_hash()
    session.create()
    return {"sessionid": str(session.session_key)}


def start(plan: dict[str, Any]) -> str:
    job = Job.objects.create(owner=USER, plan=plan)
    job.enqueue()
    return str(job.pk)


def create(count: int) -> list[str]:
    """Operations that nobody runs."""
    return [str(Job.objects.create(owner=USER).pk) for _ in range(count)]


def forget(ids: list[str]) -> None:
    Job.objects.filter(pk__in=ids).delete()


def tokens(ids: list[str]) -> list[str]:
    """One token for each id, as the page embeds them."""
    found = {str(pk): job for pk, job in Job.objects.in_bulk(set(ids)).items()}
    return [found[each].subscription_token for each in ids]


def outcome(id: str) -> dict[str, Any]:
    job = Job.objects.get(pk=id)
    return {
        "state": job.get_state(),
        "finished": job.finished_on is not None,
        "result": job.result_context,
        "error": job.traceback or "",
    }


COMMANDS = [sign_in, start, create, forget, tokens, outcome]
