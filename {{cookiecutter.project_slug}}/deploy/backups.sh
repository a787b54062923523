#!/usr/bin/env bash
# Backups of the database and the media files: what the service `backup` of compose.yaml runs.
#
#   backups.sh nightly       at BACKUP_HOUR each night, until the container is stopped
#   backups.sh now [NAME]    at once; prints the file
#   backups.sh check FILE    whether a backup is whole
#   backups.sh restore FILE  puts a backup in the place of what is there: all of it, or nothing
#   backups.sh is-healthy    whether the last one worked
set -euo pipefail
umask 077

BACKUPS=/backups
MEDIA=/media
FAILED=/tmp/failed
AGAIN_AFTER=600

say() { echo "$(date --utc +%Y-%m-%dT%H:%M:%SZ) backup: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The password goes into the environment, because everybody on the host can read command lines.
connect() {
  local rest=${DATABASE_URL#*://} user_part encoded
  url=${DATABASE_URL/#postgresql:/postgres:}
  user_part=${rest%@*}
  if [ "$user_part" != "$rest" ] && [ "$user_part" != "${user_part#*:}" ]; then
    encoded=${user_part#*:}
    printf -v PGPASSWORD '%b' "${encoded//%/\\x}"
    export PGPASSWORD
    url="postgres://${user_part%%:*}@${rest##*@}"
  fi
}

# Prints the file that it made.
back_up() {
  local file="$BACKUPS/${1:-site-$(date --utc +%Y-%m-%dT%H%M%SZ)}.tar.gz"
  part=$(mktemp -d "$BACKUPS/.part-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  pg_dump --format=custom --no-owner --no-privileges --file "$part/database.dump" -d "$url"
  # After the database, so that every file it names is there. What is written or deleted meanwhile
  # (tar ends with 1) belongs to nothing in the dump.
  tar --create --gzip --exclude 'media/.restore-*' --file "$part/all" \
    --directory "$part" database.dump --directory / media ||
    [ $? -eq 1 ]
  sync "$part/all"
  mv "$part/all" "$file"
  echo "$file"
}

rotate() {
  local old
  find "$BACKUPS" -maxdepth 1 -name 'site-*.tar.gz' | sort --reverse | tail -n "+$((BACKUP_KEEP + 1))" |
    while read -r old; do
      rm -- "$old"
      say "removed $old, BACKUP_KEEP is $BACKUP_KEEP"
    done
}

seconds_until_next() {
  local due now
  now=$(date +%s)
  due=$(date --date "today $BACKUP_HOUR:00" +%s)
  [ "$due" -gt "$now" ] || due=$(date --date "tomorrow $BACKUP_HOUR:00" +%s)
  echo $((due - now))
}

nightly() {
  local pause made
  [[ "$BACKUP_HOUR" =~ ^([01]?[0-9]|2[0-3])$ ]] ||
    fail "BACKUP_HOUR is '$BACKUP_HOUR'. Set it to a whole number from 0 to 23."
  [[ "$BACKUP_KEEP" =~ ^[1-9][0-9]*$ ]] ||
    fail "BACKUP_KEEP is '$BACKUP_KEEP'. Set it to a whole number from 1 on."
  trap 'exit 0' TERM INT
  while true; do
    pause=$(seconds_until_next)
    [ ! -e "$FAILED" ] || pause=$AGAIN_AFTER
    say "the next one in $pause s"
    # A trap is not heard during a command, only while waiting for one.
    sleep "$pause" &
    wait $!
    if made=$(bash "$0" now); then
      say "made $made, $(stat -c %s "$made") bytes"
      rotate
      rm -f "$FAILED"
    else
      touch "$FAILED"
      say "failed; tried again in $AGAIN_AFTER s"
    fi
  done
}

check() {
  [ -f "$1" ] || fail "There is no file $1."
  if ! tar --list --gzip --file "$1" >/dev/null ||
    ! tar --extract --to-stdout --gzip --file "$1" database.dump | pg_restore --file /dev/null; then
    fail "$1 is damaged, or no backup of this site. Nothing was changed."
  fi
}

restore() {
  local file=$1 tables
  check "$file"
  part=$(mktemp -d "$MEDIA/.restore-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  tar --extract --gzip --file "$file" --directory "$part" --same-owner ||
    fail "$file could not be unpacked. Nothing was changed."
  tables=$(psql -qtA -d "$url" -c "SELECT to_regclass('django_migrations') IS NOT NULL")
  [ "$tables" = f ] ||
    say "what is there now was saved to $(bash "$0" now "before-restore-$(date --utc +%Y-%m-%dT%H%M%SZ)")"
  # One transaction: if anything fails, the database is as it was.
  {
    echo 'DROP SCHEMA public CASCADE; CREATE SCHEMA public;'
    pg_restore --no-owner --no-privileges --file - "$part/database.dump"
  } | psql --quiet --single-transaction --set ON_ERROR_STOP=1 -d "$url" >/dev/null ||
    fail "The database could not be restored. Nothing was changed."
  if [ -d "$part/media" ]; then
    find "$MEDIA" -mindepth 1 -maxdepth 1 -not -path "$part" -exec rm -rf {} +
    find "$part/media" -mindepth 1 -maxdepth 1 -exec mv --target-directory "$MEDIA" {} +
  fi
  say "restored $file"
}

connect
case "${1:-}" in
  nightly) nightly ;;
  now) back_up "${2:-}" ;;
  check) check "${2:?says no file}" ;;
  restore) restore "${2:?says no file}" ;;
  is-healthy) [ ! -e "$FAILED" ] ;;
  *) fail "usage: nightly, now [NAME], check FILE, restore FILE or is-healthy" ;;
esac
