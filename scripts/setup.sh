#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are missing. Idempotent; says what it does.
set -euo pipefail

packages=(liblua5.4-dev libonig-dev libopenblas0 pkg-config)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  run=()
  [ "$(id -u)" -eq 0 ] || run=(sudo)
  "${run[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || {
  echo "setup: the Swift toolchain (6.1 or newer) is missing: see https://www.swift.org/install" >&2
  exit 1
}
