#!/usr/bin/env bash
# Deploys the zips: migrates with the new code, then replaces the functions. Writes down which versions were live.
# Usage: deploy.sh STACK BUCKET BEFORE.json [PARAMETER=VALUE…]   (the parameters at the first time, and to change them)
set -euo pipefail
stack=${1:?the stack} bucket=${2:?the bucket for the zips} before=${3:?the file for the versions that were live}
shift 3
cd "$(dirname "$0")"
before=$(realpath --canonicalize-missing "$OLDPWD/$before")

migrate() {
    aws lambda wait function-updated-v2 --function-name "$stack-migrate"
    error=$(aws lambda invoke --function-name "$stack-migrate" --cli-read-timeout 900 \
        --query FunctionError --output text /dev/stderr)
    [ "$error" = None ] || {
        echo "the migration failed: $error" >&2
        exit 1
    }
}

live() {
    aws lambda get-alias --function-name "$stack-$1" --name live --query FunctionVersion --output text
}

new=true
if aws cloudformation describe-stacks --stack-name "$stack" >/dev/null 2>&1; then
    new=false
    printf '{"query": "%s", "ingest": "%s"}\n' "$(live query)" "$(live ingest)" >"$before"
    aws lambda update-function-code --function-name "$stack-migrate" --zip-file fileb://dist/query.zip >/dev/null
    migrate
fi
aws cloudformation package --template-file template.yaml --s3-bucket "$bucket" --output-template-file dist/packaged.yaml >/dev/null
overrides=()
[ $# -eq 0 ] || overrides=(--parameter-overrides "$@")
aws cloudformation deploy --stack-name "$stack" --template-file dist/packaged.yaml --no-fail-on-empty-changeset \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND "${overrides[@]}"
if $new; then
    migrate
    printf '{"query": "%s", "ingest": "%s"}\n' "$(live query)" "$(live ingest)" >"$before"
fi
