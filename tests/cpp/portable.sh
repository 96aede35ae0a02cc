#!/usr/bin/env bash
# Compiles everything with clang (what macOS has) and the core for aarch64, as far as these compilers are installed,
# with warnings as errors; runs the C++ tests for aarch64 under qemu. Needs pybind11 in the Python of the path.
set -euo pipefail
cd "$(dirname "$0")/../.."
export flags="-std=c++17 -O1 -pthread -Wall -Wextra -Wconversion -Wshadow -Werror -Icsrc"
cores=$(nproc)
if command -v clang++ > /dev/null; then
  export includes
  includes=$(python3 -m pybind11 --includes | sed 's/-I/-isystem /g')
  # shellcheck disable=SC2016
  { find csrc -name '*.cc'; ls tests/cpp/test_*.cc; } |
    xargs -P "$cores" -I{} sh -euc 'clang++ $flags $includes -fsyntax-only {}'
  echo "clang++: compiles"
else
  echo "clang++: not installed, not checked"
fi
if command -v aarch64-linux-gnu-g++ > /dev/null && command -v qemu-aarch64-static > /dev/null; then
  export out=build/cpp-aarch64
  mkdir -p "$out"
  # shellcheck disable=SC2016
  find csrc/core -name '*.cc' |
    xargs -P "$cores" -I{} sh -euc 'aarch64-linux-gnu-g++ $flags -c {} -o "$out/$(echo {} | tr / _).o"'
  for test in tests/cpp/test_*.cc; do
    # shellcheck disable=SC2086
    aarch64-linux-gnu-g++ $flags "$test" "$out"/*.o -static -o "$out/$(basename "$test" .cc)"
    qemu-aarch64-static "$out/$(basename "$test" .cc)"
  done
  echo "aarch64: compiles, C++ tests pass"
else
  echo "aarch64-linux-gnu-g++ or qemu-aarch64-static: not installed, not checked"
fi
