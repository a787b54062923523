"""All checks, in their order: what others need comes first."""

from liveops.doctor import clocks, configuration, database, files, messages, processes

CHECKS = (
    *configuration.CHECKS,
    *database.CHECKS,
    *messages.CHECKS,
    *processes.CHECKS,
    *clocks.CHECKS,
    *files.CHECKS,
)
