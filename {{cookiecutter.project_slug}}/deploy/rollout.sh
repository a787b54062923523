#!/usr/bin/env bash
# Replaces the running site by the code in this folder: `make deploy`.
#
# Web servers and workers are replaced one after the other, so that the others go on. A worker that
# is told to end finishes its runs, or hands them back to the next one. Migrations come first, so the
# version before has to get along with them: docs/deploy.md tells how.
set -euo pipefail
cd "$(dirname "$0")/.."

read -ra compose <<<"${COMPOSE:-docker compose}"
engine=${ENGINE:-docker}
HEALTHY_WITHIN=120

say() { echo "deploy: $*"; }
fail() {
  echo "deploy: $*" >&2
  exit 1
}

# The ids of the containers of a service, oldest first.
containers_of() {
  "$engine" ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --filter "label=com.docker.compose.service=$1" --format '{{.CreatedAt}} {{.ID}}' |
    sort | awk '{print $NF}'
}

# Asks the container by the very command that compose.yaml gives it for that.
is_healthy() {
  case $1 in
    web) "$engine" exec "$2" python deploy/healthcheck.py ;;
    *) "$engine" exec "$2" deploy/alive.sh ;;
  esac >/dev/null 2>&1
}

wait_until_healthy() {
  local service=$1 container=$2 end=$((SECONDS + HEALTHY_WITHIN))
  until is_healthy "$service" "$container"; do
    if [ $SECONDS -gt $end ]; then
      "$engine" logs --tail 50 "$container" >&2 || true
      fail "the new $service is not healthy after $HEALTHY_WITHIN s, see above; nothing more was" \
        "replaced. Mend it and run this again, or go back to the version before and run it there."
    fi
    sleep 1
  done
}

start_missing() { "${compose[@]}" up --detach --no-deps --no-recreate "$1"; }

replace() {
  local service=$1 old before new
  for old in $(containers_of "$service"); do
    say "replacing $service $old"
    "$engine" stop "$old" >/dev/null
    "$engine" rm "$old" >/dev/null
    before=$(containers_of "$service")
    start_missing "$service"
    for new in $(containers_of "$service"); do
      grep -qx "$new" <<<"$before" || wait_until_healthy "$service" "$new"
    done
  done
}

[ -f .env ] || fail "There is no .env. Copy it from .env.example and fill in the secrets."
COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env)}
[ -n "$COMPOSE_PROJECT_NAME" ] || fail "COMPOSE_PROJECT_NAME is missing from .env."

say "building"
"${compose[@]}" build web
say "checking the settings"
"${compose[@]}" run --rm --no-deps migrate python manage.py check --deploy --fail-level ERROR
say "migrating"
"${compose[@]}" run --rm migrate
for service in web worker beat; do
  replace "$service"
done
# What is new, or was not running.
"${compose[@]}" up --detach --no-recreate
"${compose[@]}" exec -T proxy caddy reload --config /etc/caddy/Caddyfile
say "done"
