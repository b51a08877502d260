#!/usr/bin/env bash
# Writes the images of a release, a file each with its full name and digest, into the `images` of an overlay.
# Usage: set-images.sh OVERLAY FOLDER
set -euo pipefail
overlay=${1:?the overlay} folder=${2:?the folder with migrate.txt, ingest.txt, consumer.txt, query.txt}
for target in migrate ingest consumer query; do
    image=$(<"$folder/$target.txt")
    [[ $image =~ ^([^@]+)@(sha256:[0-9a-f]{64})$ ]] || {
        echo "$folder/$target.txt holds no image with a digest: $image" >&2
        exit 1
    }
    name=${BASH_REMATCH[1]} digest=${BASH_REMATCH[2]}
    # Three lines belong to each image: its name here, its name there, and its tag or digest.
    sed -i -E "/^  - name: adledger-$target\$/,/^  - name: /{
        s|^    newName: .*|    newName: $name|
        s|^    (newTag\|digest): .*|    digest: $digest|
    }" "$overlay/kustomization.yaml"
done
