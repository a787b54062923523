"""Where operations keep their files. Nothing serves this folder: `liveops:file` asks the policy."""

from liveops.models import LiveOperation


def private_path(operation: LiveOperation, filename: str) -> str:
    """A folder for each attempt of each operation, so that no two files share a name."""
    return f"operations/{operation.id}/{operation.attempt}/{filename}"
