#!/bin/bash
# What the official image does with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.
set -euo pipefail
as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups --)

if [ "${1:-}" != postgres ]; then
  exec "$@"
fi
chown postgres "$PGDATA" /run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  echo "$POSTGRES_PASSWORD" >"$password"
  chown postgres "$password"
  "${as_postgres[@]}" initdb --username "$POSTGRES_USER" --pwfile "$password" \
    --auth-host scram-sha-256 --auth-local trust --encoding UTF8
  rm "$password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  "${as_postgres[@]}" pg_ctl start -w -o "-c listen_addresses="
  "${as_postgres[@]}" createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
  "${as_postgres[@]}" pg_ctl stop -w
fi
exec "${as_postgres[@]}" "$@" -c 'listen_addresses=*'
