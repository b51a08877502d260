#!/usr/bin/env bash
# Moves the aliases back to the versions that were live before a deployment. The schema stays: old code works on it.
# Usage: rollback.sh STACK BEFORE.json
set -euo pipefail
stack=${1:?the stack} before=${2:?the file that deploy.sh wrote}
jq --exit-status --raw-output 'to_entries[] | "\(.key) \(.value)"' "$before" | while read -r function version; do
    aws lambda update-alias --function-name "$stack-$function" --name live --function-version "$version" >/dev/null
    echo "$stack-$function is back at version $version"
done
