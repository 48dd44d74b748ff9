#!/bin/sh
# Fills the database of FRONTDESK_DATABASE_URL, which must be empty, from a backup. Frontdesk is stopped.
#   deploy/restore.sh /backups/frontdesk-2026-01-31.dump
set -eu
source=${1:?name the backup}
url=${FRONTDESK_DATABASE_URL:?set it to the database to fill}
case $url in
sqlite:///*)
	file=${url#sqlite:///}
	if [ -e "$file" ]; then
		echo "$file exists already: move it away first" >&2
		exit 1
	fi
	umask 077
	cp "$source" "$file"
	;;
*)
	# All or nothing: a database that is not empty stays what it is.
	pg_restore --single-transaction --exit-on-error --no-owner --no-privileges --dbname="$url" "$source"
	;;
esac
