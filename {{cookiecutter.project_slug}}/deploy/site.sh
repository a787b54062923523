#!/usr/bin/env bash
# What the targets of the Makefile do with the containers of compose.yaml: `make up` and so on.
#
#   site.sh secrets            makes .env where it is missing, and the secrets that are empty in it
#   site.sh up                 starts everything, and waits until it serves
#   site.sh deploy             replaces the running site by the code in this folder
#   site.sh scale [web=N] [worker=N]
#   site.sh backup             at once; prints the file
#   site.sh restore FILE       puts a backup in the place of what is there
#   site.sh logs [SERVICE]     follows them
#   site.sh manage COMMAND …   runs manage.py within the site
#   site.sh dev                another site, for development, with the code of this folder
set -euo pipefail
cd "$(dirname "$0")/.."

HEALTHY_WITHIN=180
SECRETS=(SECRET_KEY METRICS_TOKEN POSTGRES_PASSWORD)
SHORTEST=32
# A worker is not killed while it hands its runs back, however long WORKER_DRAIN_SECONDS is.
WORKER_ENDS_WITHIN=900

say() { echo "${0##*/}: $*"; }
fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# The last line of .env that sets a variable, without quotes; the environment comes first.
value_of() {
  local line
  line=${!1:-$(sed -n "s/^$1=//p" .env | tail -n 1)}
  line=${line#[\"\']}
  echo "${line%[\"\']}"
}

set_value() {
  if grep -q "^$1=" .env; then
    sed -i.before "s|^$1=.*|$1=$2|" .env && rm .env.before
  else
    echo "$1=$2" >>.env
  fi
}

make_secrets() {
  local name
  if [ ! -e .env ]; then
    (umask 077 && cp .env.example .env)
    say "made .env from .env.example; set DOMAIN_NAME and ADMIN_EMAIL there"
  fi
  for name in "${SECRETS[@]}"; do
    if [ -z "$(value_of "$name")" ]; then
      set_value "$name" "$(head -c 48 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_')"
      say "made $name"
    fi
  done
}

find_engine() {
  if [ -n "${COMPOSE:-}" ]; then
    read -ra compose <<<"$COMPOSE"
    [[ "$COMPOSE" == *podman* ]] && engine=podman || engine=docker
  elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose) engine=docker
  elif command -v podman-compose >/dev/null && command -v podman >/dev/null; then
    compose=(podman-compose) engine=podman
  else
    fail "needs Docker with its compose plugin, or podman and podman-compose; docs/deploy.md tells how."
  fi
}

check_settings() {
  local name value
  [ -f .env ] || fail "There is no .env. 'make secrets' makes one; set DOMAIN_NAME in it."
  for name in "${SECRETS[@]}"; do
    value=$(value_of "$name")
    [ "${#value}" -ge $SHORTEST ] ||
      fail "$name in .env has ${#value} characters. Set it to a secret of $SHORTEST or more; empty" \
        "it and run 'make secrets' to get one."
  done
  [[ "$(value_of POSTGRES_PASSWORD)" =~ ^[A-Za-z0-9._~-]+$ ]] ||
    fail "POSTGRES_PASSWORD in .env becomes part of an address: only letters, digits and . _ ~ - are legal."
  for name in COMPOSE_PROJECT_NAME DOMAIN_NAME; do
    [ -n "$(value_of "$name")" ] || fail "$name is missing from .env; .env.example tells what it is."
  done
  project=$(value_of COMPOSE_PROJECT_NAME)
  backups=$(value_of BACKUP_DIR)
  backups=${backups:-./backups}
  mkdir -p "$backups"
}

# The ids of the running containers of a service, oldest first.
containers_of() {
  "$engine" ps --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1" \
    --format '{{.CreatedAt}} {{.ID}}' | sort | awk '{print $NF}'
}

# Asks the container by the very command that compose.yaml gives it for that.
is_healthy() {
  local ask
  case $1 in
    web) ask=(python deploy/healthcheck.py) ;;
    worker | beat) ask=(deploy/alive.sh) ;;
    postgres) ask=(pg_isready --username site --dbname site --host 127.0.0.1) ;;
    broker | cache | redis) ask=(redis-cli ping) ;;
    proxy) ask=(wget -q -O /dev/null http://127.0.0.1:2019/config/) ;;
    backup) ask=(bash /deploy/backups.sh is-healthy) ;;
  esac
  "$engine" exec "$2" "${ask[@]}" >/dev/null 2>&1
}

wait_until_healthy() {
  local service container end=$((SECONDS + HEALTHY_WITHIN))
  for service in "$@"; do
    until [ -n "$(containers_of "$service")" ]; do
      [ $SECONDS -lt $end ] || fail "$service does not start: look at 'make logs SERVICE=$service'."
      sleep 1
    done
    for container in $(containers_of "$service"); do
      until is_healthy "$service" "$container"; do
        if [ $SECONDS -gt $end ]; then
          "$engine" logs --tail 50 "$container" >&2 || true
          fail "$service is not healthy after $HEALTHY_WITHIN s, see above. What ran before still" \
            "runs. Mend it and run this again, or go back to the version before and run it there."
        fi
        sleep 1
      done
    done
  done
}

# Without what the services depend on, which is started and waited for here: old podman does not.
start() { "${compose[@]}" up --detach --no-deps "$@"; }

end() {
  local within=30
  [ "$1" != worker ] || within=$WORKER_ENDS_WITHIN
  shift
  [ $# -gt 0 ] || return 0
  "$engine" stop --time "$within" "$@" >/dev/null
  "$engine" rm "$@" >/dev/null
}

replicas_of() {
  local number
  case $1 in
    web) number=$(value_of WEB_REPLICAS) ;;
    worker) number=$(value_of WORKER_REPLICAS) ;;
  esac
  echo "${number:-2}"
}

# With the settings and the image of the site, but not within one of its containers.
manage() { "${compose[@]}" run --rm -T --no-deps migrate python manage.py "$@"; }

prepare() {
  say "building"
  "${compose[@]}" build web
  start --no-recreate postgres broker cache
  wait_until_healthy postgres broker cache
  say "checking the settings"
  manage check --deploy --fail-level ERROR
  say "migrating"
  manage migrate --noinput
}

start_in_turn() {
  local service
  for service in web worker beat proxy backup; do
    start "$service"
    case $service in web | worker) end_surplus "$service" "$(replicas_of "$service")" ;; esac
  done
  wait_until_healthy web worker beat proxy backup
}

up() {
  prepare
  start_in_turn
  say "the site serves at https://$(value_of DOMAIN_NAME)/"
}

# The new ones first, then the end of all old ones at once: a web server is never missing, and what a
# worker hands back goes on in a new one and is not handed back again.
replace() {
  local service=$1 old wanted
  wanted=$(replicas_of "$service")
  mapfile -t old < <(containers_of "$service")
  say "starting $wanted x $service"
  start --no-recreate --scale "$service=$((wanted + ${#old[@]}))" "$service"
  wait_until_healthy "$service"
  say "ending ${#old[@]} x $service of the version before"
  end "$service" "${old[@]}"
  end_surplus "$service" "$wanted"
}

end_surplus() {
  local running
  mapfile -t running < <(containers_of "$1")
  end "$1" "${running[@]:$2}"
}

deploy() {
  local service beat
  prepare
  replace web
  replace worker
  # Never two of it, so the old one ends first.
  mapfile -t beat < <(containers_of beat)
  end beat "${beat[@]}"
  for service in beat proxy backup; do
    start --no-recreate "$service"
  done
  wait_until_healthy beat proxy backup
  "$engine" exec "$(containers_of proxy)" caddy reload --config /etc/caddy/Caddyfile
  say "done"
}

scale() {
  local part service number
  [ $# -gt 0 ] || fail "says not how many: make scale WORKER=4 WEB=3"
  for part in "$@"; do
    service=${part%%=*} number=${part#*=}
    [[ "$service" =~ ^(web|worker)$ && "$number" =~ ^[1-9][0-9]?$ ]] ||
      fail "'$part' is no number of web servers or workers from 1 to 99: make scale WORKER=4 WEB=3"
  done
  for part in "$@"; do
    service=${part%%=*} number=${part#*=}
    set_value "$(tr '[:lower:]' '[:upper:]' <<<"$service")_REPLICAS" "$number"
    [ "$(containers_of "$service" | wc -l)" -ge "$number" ] ||
      start --no-recreate --scale "$service=$number" "$service"
    wait_until_healthy "$service"
    end_surplus "$service" "$number"
    say "$(containers_of "$service" | wc -l) x $service"
  done
}

backup() {
  local made
  made=$("${compose[@]}" exec -T backup bash /deploy/backups.sh now)
  echo "$backups/${made##*/}"
}

restore() {
  local file=${1:-} service running failed=0
  [ -n "$file" ] || fail "says not which: make restore FILE=backups/site-….tar.gz; there are: $(ls "$backups")"
  [ -f "$backups/${file##*/}" ] ||
    fail "There is no ${file##*/} in $backups. Copy it there, for the container sees this folder alone."
  "${compose[@]}" run --rm -T --no-deps backup check "/backups/${file##*/}" || fail "The site runs on."
  say "ending what writes"
  for service in web worker beat; do
    mapfile -t running < <(containers_of "$service")
    end "$service" "${running[@]}"
  done
  start --no-recreate postgres broker cache
  wait_until_healthy postgres broker cache
  "${compose[@]}" run --rm -T --no-deps backup restore "/backups/${file##*/}" || failed=$?
  # The backup may be of an older version.
  manage migrate --noinput
  start_in_turn
  [ $failed -eq 0 ] || fail "was not restored, see above; the site runs as before."
  say "the site serves what was in $file"
}

dev() {
  project=$(value_of COMPOSE_PROJECT_NAME 2>/dev/null || true)
  # Never the containers of production, which may be on this machine, too.
  project=${project:-site}-development
  export COMPOSE_PROJECT_NAME=$project
  compose+=(--file compose.dev.yaml)
  "${compose[@]}" build web
  trap '"${compose[@]}" down' EXIT
  start redis postgres
  wait_until_healthy redis postgres
  "${compose[@]}" run --rm -T --no-deps web python manage.py migrate
  say "serves at http://localhost:${PORT:-8000}/ in a moment; Ctrl-C ends it"
  "${compose[@]}" up --no-deps web worker beat
}

command=${1:-}
shift || true
case $command in
  secrets)
    make_secrets
    exit
    ;;
  dev) find_engine ;;
  up | deploy | scale | backup | restore | logs | manage)
    find_engine
    check_settings
    ;;
  *) fail "usage: secrets, up, deploy, scale, backup, restore FILE, logs, manage or dev" ;;
esac
case $command in
  logs) "${compose[@]}" logs --follow --tail 100 "$@" ;;
  *) "$command" "$@" ;;
esac
