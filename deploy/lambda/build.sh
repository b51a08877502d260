#!/usr/bin/env bash
# Builds deploy/lambda/dist/query.zip and ingest.zip, the same bytes from the same sources on any machine.
# Needs Python 3.11 or later with pip, and the package index.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
here=deploy/lambda
rm -rf "$here/dist"
mkdir -p "$here/dist"
for function in query ingest; do
    content=$here/dist/$function
    "$python" -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
        --only-binary=:all: --implementation cp --python-version 3.12 \
        --platform manylinux_2_34_x86_64 --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 --target "$content" --requirement "$here/$function.txt"
    cp -R services shared "$here/functions" "$content/"
    "$python" "$here/pack.py" "$content" "$here/dist/$function.zip"
    rm -rf "$content"
done
