"""A file whose age says how long ago this process showed a sign of life.

A health check of a container looks at it in no time, where asking Celery would start Python.
"""

import logging
from pathlib import Path

from liveops.conf import conf

logger = logging.getLogger(__name__)


def touch() -> None:
    """Make the file new, if the site has one. To be called where something is really done."""
    if not conf.ALIVE_FILE:
        return
    try:
        Path(conf.ALIVE_FILE).touch()
    except OSError as error:
        # It grows old, which the health check tells.
        logger.warning("the sign of life was not left: %s", error)
