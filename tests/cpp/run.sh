#!/usr/bin/env bash
# Builds the core, without Python and TensorFlow, under sanitizers, and runs the C++ tests against it.
#   tests/cpp/run.sh [address,undefined | thread] [test_base ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
sanitizers=${1:-address,undefined}
shift || true
out=build/cpp-${sanitizers//,/-}
cxx=${CXX:-c++}
flags="-std=c++17 -O1 -g -fPIC -pthread -fno-omit-frame-pointer -fsanitize=$sanitizers -fno-sanitize-recover=all
       -Wall -Wextra -Wconversion -Wshadow -Werror -Icsrc"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1

compile() { # source: an object is kept while it is newer than every source and header
  local object="$out/${1%.cc}.o"
  if [ -e "$object" ] && [ -z "$(find csrc tests/cpp -newer "$object" \( -name '*.h' -o -name '*.inc' \) -print -quit)" ] \
     && [ "$object" -nt "$1" ]; then return; fi
  mkdir -p "$(dirname "$object")"
  # shellcheck disable=SC2086
  $cxx $flags -c "$1" -o "$object"
}
export -f compile
export out cxx flags

tests=("$@")
[ ${#tests[@]} -gt 0 ] || mapfile -t tests < <(cd tests/cpp && ls test_*.cc | sed 's/\.cc$//')
{ find csrc/core -name '*.cc'; printf 'tests/cpp/%s.cc\n' "${tests[@]}"; } \
  | xargs -P "$(nproc)" -I{} bash -euc 'compile {}'
core=$(find csrc/core -name '*.cc' | sed "s|^|$out/|; s|\.cc$|.o|")
failed=0
for test in "${tests[@]}"; do
  # shellcheck disable=SC2086
  $cxx -pthread -fsanitize="$sanitizers" "$out/tests/cpp/$test.o" $core -o "$out/$test"
  "$out/$test" || failed=$((failed + 1))
done
echo "$((${#tests[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
