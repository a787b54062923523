"""PostgreSQL behind a PgBouncer that pools transactions, as where many processes share it."""

import os
import shutil

from tests.databases import Postgres
from tests.processes import HOST, Process, accepts, free_port

# Sessions of PostgreSQL, which are fewer than the stack's connections.
SESSIONS = 6
CONFIG = """
[databases]
postgres = host={host} port={postgres} dbname=postgres user=postgres

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
"""


def pgbouncer_program() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which(
        "pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    )


class PooledPostgres(Postgres):
    """`url` is PgBouncer's address, `direct_url` that of PostgreSQL itself."""

    def __init__(self) -> None:
        super().__init__()
        self.direct_url = self.url
        self.pool_port = free_port()
        self.url = f"postgres://postgres@{HOST}:{self.pool_port}/postgres"
        self.bouncer: Process | None = None

    @staticmethod
    def why_not() -> str:
        if not pgbouncer_program():
            return "PgBouncer is not installed (apt install pgbouncer)"
        return Postgres.why_not()

    def start(self) -> None:
        super().start()
        assert self.folder is not None
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            CONFIG.format(host=HOST, postgres=self.port, port=self.pool_port, sessions=SESSIONS)
        )
        config.chmod(0o644)
        command = [*self.as_user, str(pgbouncer_program()), str(config)]
        self.bouncer = Process("pgbouncer", command, os.environ, self.folder)
        self.bouncer.start()
        self.bouncer.wait_for(lambda: accepts(self.pool_port), "accepts connections")

    def stop(self) -> None:
        if self.bouncer is not None:
            self.bouncer.stop()
        super().stop()

    def log_tail(self) -> str:
        pool = self.bouncer.log_tail() if self.bouncer and self.folder else ""
        return f"{super().log_tail()}\n{pool}"
