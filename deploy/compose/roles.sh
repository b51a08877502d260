#!/bin/bash
# Run once by the PostgreSQL image when it makes the database: the role that only reads.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$READER_PASSWORD" <<'SQL'
CREATE ROLE adledger_reader LOGIN PASSWORD :'password';
GRANT pg_read_all_data TO adledger_reader;
SQL
