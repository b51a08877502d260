#!/usr/bin/env bash
# Waits until ArgoCD has synced a revision and finds it healthy; fails after fifteen minutes, or when it is degraded.
# Usage: ARGOCD_SERVER=https://… ARGOCD_TOKEN=… wait-for-argocd.sh REVISION
set -euo pipefail
revision=${1:?the revision}
application=${ARGOCD_APPLICATION:-adledger}
pause=${PAUSE_SECONDS:-5}
end=$((SECONDS + ${WAIT_SECONDS:-900}))
ask() {
    curl --fail --silent --show-error --max-time 20 --header @- "$ARGOCD_SERVER/api/v1/applications/$application$1" \
        <<<"Authorization: Bearer $ARGOCD_TOKEN"
}
while [ "$SECONDS" -lt "$end" ]; do
    state=$(ask "?refresh=normal" | jq -r '[.status.sync.revision, .status.sync.status, .status.health.status] | join(" ")') || state=unknown
    case $state in
        "$revision Synced Healthy")
            echo "$state"
            exit 0
            ;;
        "$revision Synced Degraded")
            echo "$state" >&2
            exit 1
            ;;
    esac
    sleep "$pause"
done
echo "not healthy at $revision: $state" >&2
exit 1
