#!/usr/bin/env bash
# Installs what is missing and runs all tests, in release: the numeric loops are too slow without optimisation.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
# One at a time: the kernel variant and the threads that tests switch belong to the process.
exec swift test -c release --no-parallel "$@"
