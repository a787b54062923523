"""Rights that end while somebody watches: the socket is closed within two seconds."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import User
from tests.kinds.guarded import GROUP as KIND_GROUP
from tests.security.cast import CAST, Visitor
from tests.security.credentials import use
from tests.security.promises import Figures
from tests.security.sockets import OK, Socket
from tests.security.stack import ASKS_AGAIN_EVERY, SITE_GROUP, SecurityStack

WITHIN = 2.0
# What one more round of the loop that asks again, and a busy machine, may add.
SLACK = 1.5
SIGN_IN, FORBIDDEN, UNKNOWN = {4401}, {4403}, {4404}


class Change(NamedTuple):
    make: Callable[[Visitor], object]
    codes: set[int]
    # What ends a session means nothing to an API client, which has none.
    is_for_clients: bool = True


def user_of(visitor: Visitor) -> User:
    return User.objects.get(pk=visitor.operation.owner_id)


def log_out(visitor: Visitor) -> None:
    assert visitor.http.post("/accounts/logout/").status_code == 302


def deactivate(visitor: Visitor) -> None:
    user = user_of(visitor)
    user.is_active = False
    user.save()


def change_password(visitor: Visitor) -> None:
    user = user_of(visitor)
    user.set_password("another good password")
    user.save()


def rename(name: str) -> Callable[[Visitor], None]:
    def make(visitor: Visitor) -> None:
        group = Group.objects.get(name=name)
        group.name = f"Former {name} {group.pk}"
        group.save()

    return make


def leave(name: str) -> Callable[[Visitor], object]:
    return lambda visitor: user_of(visitor).groups.remove(Group.objects.get(name=name))


CHANGES = {
    "logout": Change(log_out, SIGN_IN, is_for_clients=False),
    "deactivation": Change(deactivate, SIGN_IN),
    "password change": Change(change_password, SIGN_IN),
    "removal from the site's group": Change(leave(SITE_GROUP), FORBIDDEN),
    "removal from the kind's group": Change(leave(KIND_GROUP), FORBIDDEN),
    "removal of members from the group": Change(
        lambda visitor: Group.objects.get(name=SITE_GROUP).user_set.remove(user_of(visitor)),
        FORBIDDEN,
    ),
    "all groups cleared": Change(lambda visitor: user_of(visitor).groups.clear(), FORBIDDEN),
    "group deleted": Change(lambda visitor: Group.objects.get(name=SITE_GROUP).delete(), FORBIDDEN),
    "group renamed": Change(rename(KIND_GROUP), FORBIDDEN),
    "operation deleted": Change(lambda visitor: visitor.operation.delete(), UNKNOWN),
    # The operation goes with its owner, and whichever is noticed first says so.
    "user deleted": Change(lambda visitor: user_of(visitor).delete(), SIGN_IN | UNKNOWN),
    "session deleted": Change(
        lambda visitor: Session.objects.get(pk=visitor.session_key).delete(),
        SIGN_IN,
        is_for_clients=False,
    ),
}
FOR_CLIENTS = {name: change for name, change in CHANGES.items() if change.is_for_clients}


def watching(stack: ExitStack, url: str, visitor: Visitor, *, as_client: bool) -> Socket:
    """A socket that has subscribed and has seen the snapshot."""
    token = visitor.client_token() if as_client else visitor.token()
    socket = stack.enter_context(Socket(url, "" if as_client else visitor.cookie))
    assert socket.subscribe(token) == OK
    assert visitor.word in str(socket.hear())
    return socket


def close(socket: Socket, change: Change, visitor: Visitor, figures: Figures) -> None:
    began = time.monotonic()
    change.make(visitor)
    assert socket.close_code(within=WITHIN) in change.codes
    seconds = time.monotonic() - began
    figures.took("from the end of a right to the closed socket", seconds)
    assert seconds <= WITHIN


@pytest.mark.fault(17)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_browsers_socket_is_closed_at_once(
    stack: SecurityStack, owner: Visitor, change: Change, figures: Figures
) -> None:
    """By a web server that asks again only every 60 seconds, as sites do."""
    with ExitStack() as sockets:
        socket = watching(sockets, stack.base_url, owner, as_client=False)
        close(socket, change, owner, figures)


@pytest.mark.fault(17)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("change", FOR_CLIENTS.values(), ids=FOR_CLIENTS)
def test_an_api_clients_socket_is_closed_at_once(
    stack: SecurityStack, owner: Visitor, change: Change, figures: Figures
) -> None:
    with ExitStack() as sockets:
        socket = watching(sockets, stack.base_url, owner, as_client=True)
        close(socket, change, owner, figures)


@pytest.mark.fault(17)
@pytest.mark.usefixtures("quiet")
def test_an_api_clients_socket_is_closed_with_its_credential(
    stack: SecurityStack, owner: Visitor, figures: Figures
) -> None:
    """It may come back with another one, so the code is that of a token that is too old."""
    use(owner, "token")
    with ExitStack() as sockets:
        as_client = watching(sockets, stack.base_url, owner, as_client=True)
        as_browser = watching(sockets, stack.base_url, owner, as_client=False)
        began = time.monotonic()
        assert owner.http.delete("/api/auth/token/").status_code == 204
        assert as_client.close_code(within=WITHIN) == 4410
        figures.took("from the end of a right to the closed socket", time.monotonic() - began)
        with pytest.raises(TimeoutError):
            as_browser.close_code(within=1)


@pytest.mark.fault(17)
def test_a_session_that_expires_takes_its_socket_along(
    stack: SecurityStack, owner: Visitor, figures: Figures
) -> None:
    ends = timezone.now() + timedelta(seconds=2)
    Session.objects.filter(pk=owner.session_key).update(expire_date=ends)
    with ExitStack() as sockets:
        socket = watching(sockets, stack.base_url, owner, as_client=False)
        assert socket.close_code(within=10) == 4401
    late = (timezone.now() - ends).total_seconds()
    figures.took("from the end of a session to the closed socket", late)
    assert 0 <= late <= WITHIN


@pytest.mark.fault(17)
def test_whose_rights_do_not_end_goes_on(stack: SecurityStack, owner: Visitor) -> None:
    """Another session's logout, somebody else's end, and changes that change nothing."""
    with CAST["owner"](stack.base_url) as other, ExitStack() as sockets:
        socket = watching(sockets, stack.base_url, owner, as_client=False)
        log_out(other)
        deactivate(other)
        user = user_of(owner)
        user.first_name = "Ann"
        user.save()
        user.groups.add(Group.objects.get_or_create(name="Bystanders")[0])
        with pytest.raises(TimeoutError):
            socket.close_code(within=1)


# With plain SQL, which tells nobody


def sql(text: str, *values: str | int | UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def delete_operation_rows(visitor: Visitor) -> None:
    key = visitor.operation.pk
    sql("DELETE FROM liveops_logchunk WHERE operation_id = %s", key)
    sql("DELETE FROM liveops_operationevent WHERE operation_id = %s", key)
    sql("DELETE FROM kinds_guarded WHERE liveoperation_ptr_id = %s", key)
    sql("DELETE FROM liveops_liveoperation WHERE id = %s", key)


def leave_in_sql(name: str) -> Callable[[Visitor], None]:
    def make(visitor: Visitor) -> None:
        sql(
            "DELETE FROM accounts_user_groups WHERE user_id = %s AND group_id = "
            "(SELECT id FROM auth_group WHERE name = %s)",
            visitor.operation.owner_id,
            name,
        )

    return make


SILENT_CHANGES = {
    "session deleted": Change(
        lambda visitor: sql(
            "DELETE FROM django_session WHERE session_key = %s", str(visitor.session_key)
        ),
        SIGN_IN,
        is_for_clients=False,
    ),
    "deactivation": Change(
        lambda visitor: sql(
            "UPDATE accounts_user SET is_active = false WHERE id = %s", visitor.operation.owner_id
        ),
        SIGN_IN,
    ),
    "password change": Change(
        lambda visitor: sql(
            "UPDATE accounts_user SET password = 'x' WHERE id = %s", visitor.operation.owner_id
        ),
        SIGN_IN,
    ),
    "removal from the site's group": Change(leave_in_sql(SITE_GROUP), FORBIDDEN),
    "removal from the kind's group": Change(leave_in_sql(KIND_GROUP), FORBIDDEN),
    "operation deleted": Change(delete_operation_rows, UNKNOWN),
    "owner changed": Change(
        lambda visitor: sql(
            "UPDATE liveops_liveoperation SET owner_id = (SELECT min(id) FROM accounts_user) "
            "WHERE id = %s",
            visitor.operation.pk,
        ),
        UNKNOWN,
    ),
}


@pytest.mark.fault(17)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("as_client", [False, True], ids=["browser", "API client"])
def test_what_was_changed_with_plain_sql_is_noticed_when_the_server_asks_again(
    stack: SecurityStack, figures: Figures, as_client: bool
) -> None:
    """All at once, so that the wait is one."""
    with ExitStack() as open_ones:
        sockets = []
        for change in SILENT_CHANGES.values():
            if change.is_for_clients or not as_client:
                visitor = open_ones.enter_context(CAST["owner"](stack.watchful_url))
                socket = watching(open_ones, stack.watchful_url, visitor, as_client=as_client)
                sockets.append((change, visitor, socket))
        for change, visitor, _socket in sockets:
            change.make(visitor)
        began = time.monotonic()
        codes = [socket.close_code() in change.codes for change, _visitor, socket in sockets]
        seconds = time.monotonic() - began
    assert codes == [True] * len(sockets)
    assert seconds <= ASKS_AGAIN_EVERY + SLACK
    figures.note(f"{len(sockets)} closed within {seconds:.2f} s, asked every {ASKS_AGAIN_EVERY} s")
