#!/usr/bin/env bash
# Installs what is missing and runs all tests, in release: the numeric loops are too slow without optimisation.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec swift test -c release "$@"
