#!/bin/sh
# As the official image: the server runs as its own user, on a volume that this user may write.
set -eu
if [ "${1:-}" = redis-server ]; then
  chown redis:redis /data
  exec setpriv --reuid redis --regid redis --clear-groups -- "$@" --bind '* -::*' --protected-mode no
fi
exec "$@"
