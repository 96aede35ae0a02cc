#!/usr/bin/env bash
# Builds the core, without Python and TensorFlow, under sanitizers, and runs the C++ tests against it.
#   tests/cpp/run.sh [address,undefined | thread] [test_base ...]
#   tests/cpp/run.sh address,undefined fuzz_text    for FUZZ_SECONDS (10), from FUZZ_SEED (1); needs mmcore in Python
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

# What a fuzz target begins with is written anew each time. No input may make the core ask for much memory.
run_test() {
  if [[ $1 != fuzz_* ]]; then "$out/$1"; return; fi
  rm -rf "$out/$1_seeds"
  python3 "tests/cpp/$1_seeds.py" "$out/$1_seeds" || return 1
  ASAN_OPTIONS=$ASAN_OPTIONS:max_allocation_size_mb=256:hard_rss_limit_mb=2048 \
    "$out/$1" "$out/$1_seeds" "${FUZZ_SECONDS:-10}" "${FUZZ_SEED:-1}"
}

tests=("$@")
[ ${#tests[@]} -gt 0 ] || mapfile -t tests < <(cd tests/cpp && ls test_*.cc | sed 's/\.cc$//')
{ find csrc/core -name '*.cc'; printf 'tests/cpp/%s.cc\n' "${tests[@]}"; } \
  | xargs -P "$(nproc)" -I{} bash -euc 'compile {}'
core=$(find csrc/core -name '*.cc' | sed "s|^|$out/|; s|\.cc$|.o|")
failed=0
for test in "${tests[@]}"; do
  # shellcheck disable=SC2086
  $cxx -pthread -fsanitize="$sanitizers" "$out/tests/cpp/$test.o" $core -o "$out/$test"
  run_test "$test" || failed=$((failed + 1))
done
echo "$((${#tests[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
