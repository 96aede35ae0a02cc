#include "core/packing/pack.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "core/base/errors.h"
#include "core/packing/room_tree.h"

namespace mmcore::packing {
namespace {

constexpr size_t kMost = size_t{INT32_MAX};

void CheckSplits(Span<const int64_t> splits, size_t num_values) {
  if (splits.empty()) throw InvalidArgument("row_splits must have at least one element, the 0 it begins with");
  if (splits.size() > kMost) throw LimitError("more than 2^31 - 1 sequences cannot be packed at once");
  if (splits[0] != 0) throw InvalidArgument("row_splits must begin with 0, found " + std::to_string(splits[0]));
  for (size_t i = 1; i < splits.size(); ++i) {
    if (splits[i] < splits[i - 1]) {
      throw InvalidArgument("row_splits must not fall, found " + std::to_string(splits[i]) + " after " +
                            std::to_string(splits[i - 1]) + " at index " + std::to_string(i));
    }
  }
  const int64_t last = splits[splits.size() - 1];
  if (static_cast<size_t>(last) != num_values) {
    throw InvalidArgument("row_splits must end with the number of values, " + std::to_string(num_values) + ", found " +
                          std::to_string(last));
  }
}

void CheckOptions(const Options& options) {
  const auto check = [](const char* name, size_t value, size_t least) {
    if (value < least || value > kMost) {
      throw InvalidArgument(std::string(name) + " must be from " + std::to_string(least) + " to 2^31 - 1, found " +
                            std::to_string(value));
    }
  };
  check("length", options.length, 1);
  check("rows", options.rows, 0);
  check("max_segments", options.max_segments, 0);
}

// What each sequence takes of a row.
std::vector<size_t> Sizes(Span<const int64_t> splits, const Options& options) {
  std::vector<size_t> sizes(splits.size() - 1);
  for (size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = static_cast<size_t>(splits[i + 1] - splits[i]);
    if (sizes[i] <= options.length) continue;
    if (!options.truncate) {
      throw InvalidArgument("sequence " + std::to_string(i) + " has " + std::to_string(sizes[i]) +
                            " values, more than length " + std::to_string(options.length) +
                            "; make rows longer, or cut with truncate=True");
    }
    sizes[i] = options.length;
  }
  return sizes;
}

std::vector<size_t> Order(const std::vector<size_t>& sizes, bool longest_first) {
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (longest_first) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  }
  return order;
}

// Chooses the rows; segments are numbered afterwards, in the order in which sequences stand in them.
void ChooseRows(const std::vector<size_t>& sizes, const Options& options, Plan& plan) {
  const size_t most_rows = options.rows == 0 ? sizes.size() : std::min(options.rows, sizes.size());
  RoomTree rooms(most_rows, options.length);
  std::vector<size_t> counts(most_rows, 0);
  size_t used = 0;
  for (const size_t i : Order(sizes, options.longest_first)) {
    if (sizes[i] == 0) continue;
    const size_t row = rooms.First(sizes[i]);
    if (row == RoomTree::kNone) continue;
    const bool full = ++counts[row] == options.max_segments;
    rooms.SetRoom(row, full ? 0 : rooms.room(row) - sizes[i]);
    plan.places[i].row = static_cast<int32_t>(row);
    used = std::max(used, row + 1);
  }
  plan.rows = options.rows == 0 ? used : options.rows;
}

void NumberSegments(const std::vector<size_t>& sizes, Plan& plan) {
  std::vector<int32_t> counts(std::min(plan.rows, sizes.size()), 0);
  for (size_t i = 0; i < sizes.size(); ++i) {
    Place& place = plan.places[i];
    if (place.row >= 0) {
      place.segment = ++counts[static_cast<size_t>(place.row)];
    } else if (sizes[i] == 0) {
      place.segment = 0;
    }
  }
}

}  // namespace

Plan MakePlan(Span<const int64_t> row_splits, size_t num_values, const Options& options) {
  CheckOptions(options);
  CheckSplits(row_splits, num_values);
  const std::vector<size_t> sizes = Sizes(row_splits, options);
  Plan plan;
  plan.places.resize(sizes.size());
  ChooseRows(sizes, options, plan);
  NumberSegments(sizes, plan);
  return plan;
}

void Write(const Plan& plan, Span<const int64_t> row_splits, size_t length, const void* values, size_t element_bytes,
           const Rows& out) {
  const size_t total = plan.rows * length;
  if (total == 0) return;
  auto* bytes = static_cast<unsigned char*>(out.values);
  const auto* from = static_cast<const unsigned char*>(values);
  if (element_bytes != 0) std::memset(bytes, 0, total * element_bytes);
  std::fill_n(out.segment_ids, total, 0);
  std::fill_n(out.positions, total, 0);
  std::vector<size_t> filled(std::min(plan.rows, plan.places.size()), 0);
  for (size_t i = 0; i < plan.places.size(); ++i) {
    const Place place = plan.places[i];
    if (place.row < 0) continue;
    const size_t row = static_cast<size_t>(place.row), begin = static_cast<size_t>(row_splits[i]);
    const size_t size = std::min(static_cast<size_t>(row_splits[i + 1]) - begin, length);
    const size_t at = row * length + filled[row];
    filled[row] += size;
    if (element_bytes != 0) std::memcpy(bytes + at * element_bytes, from + begin * element_bytes, size * element_bytes);
    std::fill_n(out.segment_ids + at, size, place.segment);
    std::iota(out.positions + at, out.positions + at + size, 0);
  }
}

}  // namespace mmcore::packing
