#!/usr/bin/env bash
# Installs into a folder what the chart's tests need: Helm, built by Go, and the types that manifests are held against.
#
#   bash deploy/helm/tools.sh <folder>      then HELM=<folder>/bin/helm MANIFEST_TYPES=<folder> for the tests
set -euo pipefail
folder=${1:?Name the folder to install into.}
helm=v3.22.0
types='kubernetes-models@5.1.0 @kubernetes-models/prometheus-operator@6.0.0 @kubernetes-models/external-secrets@2.0.0
  @kubernetes-models/gateway-api@2.0.0'

mkdir -p "$folder/bin"
if [ ! -x "$folder/bin/helm" ]; then
  if command -v helm >/dev/null; then
    ln -s "$(command -v helm)" "$folder/bin/helm"
  else
    GOBIN=$(cd "$folder/bin" && pwd) go install "helm.sh/helm/v3/cmd/helm@$helm"
  fi
fi
# shellcheck disable=SC2086
npm install --prefix "$folder" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund $types
