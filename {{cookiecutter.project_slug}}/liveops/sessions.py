"""Sessions in the database that know when they end."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Keeps what Django reads together with a session and forgets.

    A socket is closed when its session ends, and would have to ask for that once more. To be named
    by SESSION_ENGINE; with another engine the sockets do ask.
    """

    # None until the session was read.
    ends_at: datetime | None = None

    # Django's `load()` keeps the data and drops the row, so it is caught here. Were this renamed,
    # sockets would ask again, as with any other engine.
    def _get_session_from_db(self) -> Any:
        session = super()._get_session_from_db()  # type: ignore[misc]  # unknown to django-stubs
        if session is not None:
            self.ends_at = session.expire_date
        return session
