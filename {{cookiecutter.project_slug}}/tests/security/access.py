"""The access matrix: who gets which answer from which address.

The owner asks for an operation of their own, and so does who has left a group; the others ask for
somebody else's. Answers: a status; `login` and `admin`, a redirect to the one sign-in page or the
other; `302`, a redirect elsewhere; `any`, what the admin makes of an empty form, but no error; for
websockets `ok`, or the close code, or the status that refuses the handshake. `*` in a route stands
for anything; of each method the row without it counts, else the first that fits.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.security.cast import CAST

TABLE = """
                                anonymous owner  other  no site no kind inactive superuser
GET  healthz                    200       200    200    200     200     200      200
GET  readyz                     200       200    200    200     200     200      200
GET  favicon.ico                302       302    302    302     302     302      302
GET  login                      200       302    302    302     302     200      302
POST logout                     302       302    302    302     302     302      302
GET  password_change            login     200    200    200     200     login    200
GET  password_change_done       login     200    200    200     200     login    200
POST csp-report                 204       204    204    204     204     204      204

GET  liveops:catalogue          login     200    200    403     200     login    200
GET  liveops:list               login     200    200    403     200     login    200
GET  liveops:start              login     200    200    403     403     login    200
POST liveops:start              login     302    302    403     403     login    302
GET  liveops:live               login     200    404    403     403     login    404
POST liveops:cancel             login     302    404    403     403     login    404
POST liveops:restart            login     302    404    403     403     login    404
POST liveops:token              401       200    404    403     403     401      404
GET  liveops:snapshot           401       200    404    403     403     401      404
GET  liveops:log                login     200    404    403     403     login    404
GET  liveops:log_text           login     200    404    403     403     login    404
GET  liveops:file               login     200    404    403     403     login    404

GET  api:kinds                  401       200    200    403     200     401      200
POST api:start                  401       201    201    403     403     401      201
GET  api:operations             401       200    200    403     200     401      200
GET  api:operation              401       200    404    403     403     401      404
POST api:cancel                 401       200    404    403     403     401      404
POST api:retry                  401       200    404    403     403     401      404
GET  api:log                    401       200    404    403     403     401      404
GET  api:log_text               401       200    404    403     403     401      404
GET  api:file                   401       200    404    403     403     401      404
POST api:subscription_token     401       200    404    403     403     401      404
POST api:token                  400       400    400    400     400     400      400
DELETE api:token                401       204    204    403     204     401      204
POST api:jwt                    400       400    400    400     400     400      400
POST api:jwt_refresh            400       400    400    400     400     400      400
GET  api:schema                 401       200    200    403     200     401      200
GET  api:docs                   login     200    200    403     200     login    200
GET  api:nothing_here           404       404    404    404     404     404      404

GET  admin:login                200       200    200    200     200     200      302
POST admin:login                200       200    200    200     200     200      any
GET  admin:logout               302       302    302    302     302     302      405
POST admin:logout               302       302    302    302     302     302      302
GET  admin:autocomplete         admin     admin  admin  admin   admin   admin    403
GET  admin:view_on_site         admin     admin  admin  admin   admin   admin    404
GET  admin:liveops_*_add        admin     admin  admin  admin   admin   admin    403
GET  admin:*                    admin     admin  admin  admin   admin   admin    200
POST admin:*                    admin     admin  admin  admin   admin   admin    any
GET  admin/(?P<url>.*)$         admin     admin  admin  admin   admin   admin    404
GET  admin/*                    admin     admin  admin  admin   admin   admin    302

WS   ws:ws/liveops/             4401      ok     4404   4403    4403    4401     4404
WS   ws:                        403       403    403    403     403     403      403
"""


class Row(NamedTuple):
    method: str
    route: str
    answers: dict[str, str]


def rows() -> list[Row]:
    _head, *lines = [line for line in TABLE.splitlines() if line.strip()]
    found = []
    for line in lines:
        method, route, *answers = line.split()
        found.append(Row(method, route, dict(zip(CAST, answers, strict=True))))
    return found


def rows_of(route: str) -> list[Row]:
    """The row for each method of this route."""
    found: dict[str, Row] = {}
    exact = [row for row in ROWS if row.route == route]
    for row in exact + [row for row in ROWS if fnmatchcase(route, row.route)]:
        found.setdefault(row.method, row)
    return list(found.values())


ROWS = rows()
