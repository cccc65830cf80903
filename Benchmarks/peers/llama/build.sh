#!/bin/sh
# Builds llama.cpp for this very CPU, from the sources in llama-cpp-python's sdist on PyPI, with llama_peer.cpp, into
# .build-llama at the top of the repository (2 to 5 minutes on 2 cores). Run by benchmark.py where the program is missing.
#
#   sh build.sh [PYTHON]     with a Python that has cmake, ninja and scikit-build-core (requirements.txt)
set -eu

version=0.3.36
python=${1:-python3}
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/../../../.build-llama
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
tools=$("$python" -c 'import sysconfig; print(sysconfig.get_path("scripts"))')
PATH=$tools:$PATH
export PATH

if [ ! -f "$folder/source/vendor/llama.cpp/CMakeLists.txt" ]; then
  "$python" -m pip download --quiet --no-deps --no-build-isolation --no-binary llama-cpp-python --dest "$folder" \
    "llama-cpp-python==$version"
  rm -rf "$folder/source"
  mkdir "$folder/source"
  tar -xzf "$folder/llama_cpp_python-$version.tar.gz" -C "$folder/source" --strip-components=1
fi
cmake -S "$here" -B "$folder" -G Ninja "-DLLAMA_SOURCE=$folder/source/vendor/llama.cpp"
cmake --build "$folder" --target llama_peer
