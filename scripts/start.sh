#!/usr/bin/env bash
# Installs what is missing, builds the engine and runs the main job: scripts/quickstart.lua, or the script named.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
swift build -c release --product grao-run
exec .build/release/grao-run "${@:-scripts/quickstart.lua}"
