"""The databases that a stack may record in: a SQLite file, or a PostgreSQL cluster of its own."""

import atexit
import getpass
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

from tests.processes import HOST, free_port


class Database(Protocol):
    url: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def log_tail(self) -> str: ...


class Sqlite:
    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'db.sqlite3'}"

    def start(self) -> None:
        """The first connection makes the file."""

    def stop(self) -> None:
        """The file goes with its folder."""

    def log_tail(self) -> str:
        return ""


def postgres_program(name: str) -> str | None:
    """Where PostgreSQL's `name` is; Debian keeps these programs out of PATH."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)  # noqa: PTH207
    return shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))


def has_postgres_user() -> bool:
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True


class Postgres:
    """A cluster in a folder of its own, which forgets all at a crash and so is quick."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"postgres://postgres@{HOST}:{self.port}/postgres"
        self.folder: Path | None = None
        # PostgreSQL refuses to run as root.
        self.as_user = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []

    @staticmethod
    def why_not() -> str:
        """Why no cluster can be started here, or nothing."""
        if not (postgres_program("initdb") and postgres_program("pg_ctl")):
            return "PostgreSQL is not installed (initdb and pg_ctl were not found)"
        if getpass.getuser() == "root" and not (shutil.which("runuser") and has_postgres_user()):
            return "PostgreSQL does not run as root, and there is no user postgres to run it as"
        return ""

    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="liveops-pg-"))
        atexit.register(self.stop)
        if self.as_user:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        self.resume()

    def resume(self) -> None:
        """Starts the server, the first time or after `pause`, and waits until it serves."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={HOST} -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", f"{self.folder}/log")

    def pause(self, mode: str = "fast") -> None:
        """Stops the server; `mode` is PostgreSQL's: smart, fast or immediate."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def stop(self) -> None:
        if self.folder is None:
            return
        try:
            self.pause("immediate")
        finally:
            shutil.rmtree(self.folder)
            self.folder = None
            atexit.unregister(self.stop)

    def log_tail(self) -> str:
        log = Path(f"{self.folder}/log")
        return "\n".join(log.read_text().splitlines()[-30:]) if log.exists() else ""

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self.as_user, str(postgres_program(name)), "-D", f"{self.folder}/data"]
        # The server inherits what it is given here, so its output must not be a pipe.
        with tempfile.TemporaryFile() as output:
            code = subprocess.run(
                [*command, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            output.seek(0)
            if code:
                raise AssertionError(f"{name} failed: {output.read().decode()}{self.log_tail()}")
