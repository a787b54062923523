"""A virtual environment for each contender, and the site generated from the template."""

import asyncio
import hashlib
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from benchmarks.failures import BenchmarkError
from benchmarks.places import BUILD, HERE, INSIDE, ROOT, SITE


async def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed. Raises BenchmarkError."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    text = output.decode(errors="replace")
    if process.returncode:
        raise BenchmarkError(f"{' '.join(map(str, command))} failed:\n{text}")
    return text


async def virtual_environment(name: str, lock: Path) -> Path:
    """The Python of an environment that has exactly what `lock` lists; made when it is missing."""
    folder = BUILD / f"venv-{name}"
    python, mark = folder / "bin" / "python", folder / "installed"
    state = hashlib.sha256(sys.version.encode() + lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="utf-8") != state:
        await run(sys.executable, "-m", "venv", "--clear", folder, cwd=BUILD)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
        await run(python, "-m", "pip", "install", *options, "-r", lock, cwd=BUILD)
        mark.write_text(state, encoding="utf-8")
    return python


async def generate_site() -> None:
    """Generate the site anew from the template as it stands, and add the benchmark's operations."""
    new = BUILD / "new"
    for folder in (new, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir(parents=True)
    config = new / "cookiecutter.yaml"
    config.write_text(
        f'replay_dir: "{new / "replay"}"\ncookiecutters_dir: "{new / "templates"}"\n',
        encoding="utf-8",
    )
    options: list[str | Path] = ["--no-input", "--config-file", config, "--output-dir", new]
    answer = "project_slug=bench_site"
    await run(sys.executable, "-m", "cookiecutter", *options, ROOT, answer, cwd=new)
    (new / "bench_site").rename(SITE)
    shutil.copytree(HERE / "site", SITE, dirs_exist_ok=True)


def environment(**variables: str) -> dict[str, str]:
    """What every program of a contender gets, and nothing that this terminal happens to have."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": str(INSIDE),
        "PYTHONPYCACHEPREFIX": str(BUILD / "pycache"),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
