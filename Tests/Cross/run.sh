#!/usr/bin/env bash
# The C kernels against their naive twins (twins.c) on CPUs that are not this one:
#
#   bash Tests/Cross/run.sh here      the best variant of this CPU
#   bash Tests/Cross/run.sh neon      64-bit ARM under qemu-aarch64; needs qemu-user, gcc-aarch64-linux-gnu and
#                                     libc6-dev-arm64-cross
#   bash Tests/Cross/run.sh avx512    the templates of 16 lanes, and those with bfloat16 products, on any x86-64 CPU with
#                                     AVX2: the instructions as avx512.h spells them out
#
# A number behind it says how many random shapes (default: 60). CLANG names the compiler.
set -euo pipefail
where=${1:?here, neon or avx512} rounds=${2:-60}
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../Sources/CKernels
clang=${CLANG:-clang}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$sources"/. "$folder"
cp "$here/twins.c" "$here/avx512.h" "$folder"
cd "$folder"
compile=("$clang" -O2 -std=gnu11 -I. -Iinclude)
link=("$clang")
run=()
case $where in
here) ;;
neon)
  compile+=(--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include)
  link=(aarch64-linux-gnu-gcc -static)
  run=(qemu-aarch64)
  ;;
avx512)
  # As if the CPU had it; what it lacks becomes plain vectors.
  sed -i 's/__builtin_cpu_supports("avx512[a-z0-9]*")/true/g' setup.c
  sed -i -e 's/target("avx512[^"]*")/target("avx2,fma")/' -e 's/#include <immintrin.h>/#include "avx512.h"/' variant_avx512*.c
  sed -i '/__asm__ volatile("" : "+v"/d' simd.h
  ;;
*)
  echo "run.sh: here, neon or avx512" >&2
  exit 2
  ;;
esac
ls ./*.c | xargs -P "$(nproc)" -I{} "${compile[@]}" -Wno-psabi -c {}
"${link[@]}" ./*.o -o twins -lpthread -lm -ldl
if [ "$where" = avx512 ]; then
  for variant in avx512bf16 avx512; do GRAO_KERNELS=$variant ./twins "$rounds"; done
else
  "${run[@]}" ./twins "$rounds"
fi
