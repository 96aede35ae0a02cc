// What a kernel is given, and which queries and keys meet as far as places alone decide.
#ifndef MMCORE_CUDA_CALL_H_
#define MMCORE_CUDA_CALL_H_

#include <cstdint>

#include "cuda/attention.h"
#include "cuda/device.h"

namespace mmcore::cuda {

// window is at most queries + keys, so that sums with it stay in an int.
struct Call : MmcoreAttention {
  float inverse_cap;  // 1 / soft_cap
  float keep;         // 1 / (1 - dropout_rate)
  bool aligned;       // All rows of all tensors can be moved in chunks of 16 bytes.
};

// Whole numbers from begin up to, not including, end.
struct Range {
  int begin, end;
};

MMCORE_BOTH constexpr int Smaller(int a, int b) { return a < b ? a : b; }
MMCORE_BOTH constexpr int Larger(int a, int b) { return a < b ? b : a; }

// Query t stands at this position of the keys.
MMCORE_BOTH int Position(const MmcoreAttention& call, int query) { return call.keys - call.queries + query; }

MMCORE_BOTH bool PlacesMeet(const MmcoreAttention& call, int query, int key) {
  if (query >= call.queries || key >= call.keys) return false;
  const int ahead = Position(call, query) - key;
  if (call.causal && ahead < 0) return false;
  return call.window == 0 || (ahead < call.window && -ahead < call.window);
}

// The keys outside which none of these queries sees one.
MMCORE_BOTH Range KeysOf(const MmcoreAttention& call, Range queries) {
  const int first = Position(call, queries.begin), last = Position(call, queries.end - 1);
  Range keys{0, call.keys};
  if (call.causal) keys.end = Smaller(keys.end, last + 1);
  if (call.window > 0) {
    keys.begin = Larger(0, first - call.window + 1);
    keys.end = Smaller(keys.end, last + call.window);
  }
  return keys;
}

// The queries outside which none sees one of these keys.
MMCORE_BOTH Range QueriesOf(const MmcoreAttention& call, Range keys) {
  const int shift = call.queries - call.keys;  // Of a position to its query.
  Range queries{0, call.queries};
  if (call.causal) queries.begin = Larger(0, keys.begin + shift);
  if (call.window > 0) {
    queries.begin = Larger(queries.begin, keys.begin - call.window + 1 + shift);
    queries.end = Smaller(queries.end, keys.end - 1 + call.window + shift);
  }
  return queries;
}

// Each of these queries sees each of these keys, as far as places decide.
MMCORE_BOTH bool AllPlacesMeet(const MmcoreAttention& call, Range queries, Range keys) {
  return PlacesMeet(call, queries.begin, keys.end - 1) && PlacesMeet(call, queries.end - 1, keys.begin);
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_CALL_H_
