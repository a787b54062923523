from typing import Any

from liveops.models import LiveOperation


class Greeting(LiveOperation):
    """The smallest kind: says hello."""

    class Meta:
        proxy = True

    def run(self, p: Any) -> None:
        p.status("Greeting")
        p.log("Hello")
        p.result(greeting="Hello")
