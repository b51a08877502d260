#!/usr/bin/env bash
# Deploys the zips: migrates with the new code, then replaces the functions. Writes down which versions were live.
# Usage: deploy.sh STACK BUCKET BEFORE.json [PARAMETER=VALUE…]   (the parameters at the first time, and to change them)
set -euo pipefail
stack=${1:?the stack} bucket=${2:?the bucket for the zips} before=${3:?the file for the versions that were live}
shift 3
before=$(realpath --canonicalize-missing "$before")
cd "$(dirname "$0")"

migrate() {
    aws lambda wait function-updated-v2 --function-name "$stack-migrate"
    error=$(aws lambda invoke --function-name "$stack-migrate" --cli-read-timeout 900 \
        --query FunctionError --output text /dev/stderr)
    [ "$error" = None ] || {
        echo "the migration failed: $error" >&2
        exit 1
    }
}

# Which version of each function is live, as JSON; a stack without the bucket has two of them only.
live() {
    for function in query ingest objects addresses; do
        if version=$(aws lambda get-alias --function-name "$stack-$function" --name live \
            --query FunctionVersion --output text 2>/dev/null); then
            printf '%s %s\n' "$function" "$version"
        fi
    done | jq --raw-input --null-input '[inputs | split(" ") | {(.[0]): .[1]}] | add'
}

new=true
if aws cloudformation describe-stacks --stack-name "$stack" >/dev/null 2>&1; then
    new=false
    live >"$before"
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
    live >"$before"
fi
