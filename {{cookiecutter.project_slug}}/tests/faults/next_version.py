"""The site after a deploy that changed the protocol between page and server."""

from config.asgi import application
from liveops import consumers, fragments
from liveops.views import script

__all__ = ["application"]

present = f'"protocol":{fragments.PROTOCOL}'
fragments.PROTOCOL += 1
script.PROTOCOL = fragments.PROTOCOL
consumers.AUTHENTICATED = consumers.AUTHENTICATED.replace(
    present, f'"protocol":{fragments.PROTOCOL}'
)
