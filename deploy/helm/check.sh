#!/usr/bin/env bash
# npm run check:helm: renders and lints the chart in all its shapes, compares it with k8s/, and holds every manifest
# against the types of Kubernetes. Installs what that needs into a folder for temporary files, once.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=${TMPDIR:-/tmp}/shared-context-chart-tools-$(id -u)
mkdir -p -m 700 "$tools"
[ -O "$tools" ] || { echo "$tools belongs to somebody else." >&2; exit 1; }
bash deploy/helm/tools.sh "$tools" >&2
HELM=$tools/bin/helm MANIFEST_TYPES=$tools npx tap run --reporter=tap test/ship/chart.long.test.ts
