"""A PostgreSQL cluster for this run, with PostgreSQL's own defaults: a commit is on the disk."""

import asyncio
import atexit
import getpass
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from benchmarks.failures import BenchmarkError
from benchmarks.places import HOST
from benchmarks.processes import cpu_seconds, free_port
from benchmarks.programs import postgres_program


class Postgres:
    """All contenders' databases are on it, for only one of them works at a time."""

    def __init__(self) -> None:
        self.port = free_port()
        # PostgreSQL refuses to run as root, and the user that it runs as may not see this folder.
        self.folder = Path(tempfile.mkdtemp(prefix="benchmark-pg-"))
        self.as_user: list[str] = []
        if getpass.getuser() == "root":
            self.as_user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self.folder, "postgres", "postgres")

    def start(self) -> None:
        atexit.register(self.stop)
        self._control("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={HOST}"
        options += " -c max_connections=300"
        self._control("pg_ctl", "start", "-w", "-o", options, "-l", f"{self.folder}/log")

    def stop(self) -> None:
        atexit.unregister(self.stop)
        with suppress(BenchmarkError):
            self._control("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    async def create(self, name: str) -> str:
        """Make an empty database and return its address."""
        where = ["-h", HOST, "-p", str(self.port), "-U", "postgres"]
        process = await asyncio.create_subprocess_exec(
            postgres_program("createdb"), *where, "-T", "template0", name
        )
        if await process.wait():
            raise BenchmarkError(f"createdb {name} failed")
        return f"postgres://postgres@{HOST}:{self.port}/{name}"

    def cpu_seconds(self) -> float:
        pid = (self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        return cpu_seconds(int(pid))

    def _control(self, name: str, *arguments: str) -> None:
        command = [*self.as_user, postgres_program(name), "-D", f"{self.folder}/data", *arguments]
        # The server inherits what it is given here, so its output must not be a pipe.
        with tempfile.TemporaryFile() as output:
            code = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            ).returncode
            output.seek(0)
            if code:
                raise BenchmarkError(f"{name} failed: {output.read().decode()}")
