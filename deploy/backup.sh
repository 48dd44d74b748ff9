#!/bin/sh
# Writes the conversations of FRONTDESK_DATABASE_URL to a file, while Frontdesk runs.
#   deploy/backup.sh /backups/frontdesk-$(date +%F).dump
set -eu
target=${1:?name the file to write}
url=${FRONTDESK_DATABASE_URL:?set it to the database to save}
# A backup holds what customers wrote.
umask 077
case $url in
sqlite:///*)
	# Through SQLite, since a plain copy of an open database may be torn.
	python3 - "${url#sqlite:///}" "$target.part" <<-'END'
		import sqlite3, sys
		source, target = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True), sqlite3.connect(sys.argv[2])
		source.backup(target)
		target.close()
	END
	;;
*)
	pg_dump --format=custom --no-owner --no-privileges --file="$target.part" "$url"
	;;
esac
# Only a whole backup has the name of one.
mv "$target.part" "$target"
