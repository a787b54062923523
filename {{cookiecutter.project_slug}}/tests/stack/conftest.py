"""One deployment for all steps, which follow each other."""

from collections.abc import Generator, Iterator

import pytest

from tests.client import SiteClient
from tests.stack.deployment import PASSWORD, Deployment
from tests.stack.engine import Engine, find_engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    engine = find_engine()
    if isinstance(engine, str):
        pytest.skip(engine)
    return engine


@pytest.fixture(scope="session")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A copy of this site in a folder of its own; nothing is started yet."""
    site = Deployment(engine, tmp_path_factory.mktemp("stack") / "site")
    # Of a run that was killed.
    site.destroy()
    site.copy_site()
    site.configure()
    yield site
    site.destroy()


@pytest.fixture
def member(site: Deployment) -> Iterator[SiteClient]:
    """Signed in, through the proxy."""
    with site.client() as client:
        client.sign_in("member", PASSWORD)
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A step that failed shows what the containers say."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Deployment):
        report.sections.append(("containers", site.logs()))
    return report
