// Under the sanitizers this also proves that rows and sequences are read and written within their bounds: each lies in
// an allocation of exactly its size.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/packing/pack.h"
#include "core/packing/room_tree.h"

namespace {

using mmcore::InvalidArgument;
using mmcore::Span;
using namespace mmcore::packing;

struct Packed {
  Plan plan;
  std::vector<int64_t> values;
  std::vector<int32_t> segment_ids, positions;
};

std::vector<int64_t> Splits(const std::vector<size_t>& sizes) {
  std::vector<int64_t> splits = {0};
  for (const size_t size : sizes) splits.push_back(splits.back() + static_cast<int64_t>(size));
  return splits;
}

Packed Pack(const std::vector<size_t>& sizes, const Options& options) {
  const std::vector<int64_t> splits = Splits(sizes);
  std::vector<int64_t> values(static_cast<size_t>(splits.back()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i + 1);
  Packed packed;
  packed.plan = MakePlan(splits, values.size(), options);
  const size_t total = packed.plan.rows * options.length;
  packed.values.assign(total, -1);
  packed.segment_ids.assign(total, -1);
  packed.positions.assign(total, -1);
  Write(packed.plan, splits, options.length, values.data(), sizeof(int64_t),
        {packed.values.data(), packed.segment_ids.data(), packed.positions.data()});
  return packed;
}

// The definition: every row is asked in turn.
std::vector<int32_t> FirstFit(const std::vector<size_t>& sizes, size_t length) {
  std::vector<size_t> rooms;
  std::vector<int32_t> rows;
  for (const size_t size : sizes) {
    size_t row = 0;
    while (size > 0 && row < rooms.size() && rooms[row] < size) ++row;
    if (size > 0 && row == rooms.size()) rooms.push_back(length);
    if (size > 0) rooms[row] -= size;
    rows.push_back(size > 0 ? static_cast<int32_t>(row) : -1);
  }
  return rows;
}

void TestTheTreeFindsTheFirstRow() {
  std::minstd_rand random(1);
  constexpr size_t kRows[] = {0, 1, 2, 3, 7, 8, 9, 100};
  for (const size_t rows : kRows) {
    RoomTree tree(rows, 20);
    std::vector<size_t> rooms(rows, 20);
    for (int i = 0; i < 300; ++i) {
      const size_t size = 1 + random() % 21;
      size_t expected = 0;
      while (expected < rows && rooms[expected] < size) ++expected;
      const size_t found = tree.First(size);
      CHECK(found == (expected == rows ? RoomTree::kNone : expected));
      if (found == RoomTree::kNone) continue;
      rooms[found] -= size;
      tree.SetRoom(found, rooms[found]);
      CHECK(tree.room(found) == rooms[found]);
    }
  }
}

void TestRowsAreThoseOfTheDefinition() {
  std::minstd_rand random(2);
  for (size_t count = 0; count < 200; ++count) {
    std::vector<size_t> sizes;
    for (size_t i = 0; i < count; ++i) sizes.push_back(random() % 14);
    const Packed packed = Pack(sizes, {13});
    const std::vector<int32_t> expected = FirstFit(sizes, 13);
    for (size_t i = 0; i < count; ++i) CHECK(packed.plan.places[i].row == expected[i]);
  }
}

void TestEveryValueStandsOnceInItsSegment() {
  std::minstd_rand random(3);
  std::vector<size_t> sizes;
  for (int i = 0; i < 500; ++i) sizes.push_back(random() % 18);
  for (const bool longest_first : {false, true}) {
    const Packed packed = Pack(sizes, {17, 0, 5, longest_first});
    const std::vector<int64_t> splits = Splits(sizes);
    size_t found = 0;
    for (size_t at = 0; at < packed.values.size(); ++at) {
      if (packed.segment_ids[at] == 0) {
        CHECK(packed.values[at] == 0 && packed.positions[at] == 0);
        continue;
      }
      ++found;
      const auto row = static_cast<int32_t>(at / 17);
      CHECK(packed.segment_ids[at] <= 5);
      size_t sequence = 0;
      while (packed.plan.places[sequence].row != row || packed.plan.places[sequence].segment != packed.segment_ids[at]) {
        ++sequence;
      }
      CHECK(packed.values[at] == splits[sequence] + packed.positions[at] + 1);
    }
    CHECK(found == static_cast<size_t>(splits.back()));
  }
}

void TestWhatFindsNoRoomIsLeftOver() {
  const Packed packed = Pack({3, 0, 4, 2, 5}, {5, 1});
  CHECK(packed.plan.rows == 1);
  const int32_t segments[] = {1, 0, -1, 2, -1};
  for (size_t i = 0; i < 5; ++i) CHECK(packed.plan.places[i].segment == segments[i]);
  CHECK(Pack({}, {5}).plan.rows == 0 && Pack({0, 0}, {5}).plan.rows == 0);
  CHECK(Pack({1}, {5, 7}).segment_ids.size() == 35);
}

void TestLongSequencesAreCutOnRequest() {
  const Packed packed = Pack({9, 2}, {4, 0, 0, false, true});
  CHECK((packed.values == std::vector<int64_t>{1, 2, 3, 4, 10, 11, 0, 0}));
  CHECK_THROWS(Pack({9, 2}, {4}), InvalidArgument);
}

void TestMistakesAreRefused() {
  const auto plan = [](std::vector<int64_t> splits, size_t num_values, const Options& options) {
    return MakePlan(Span<const int64_t>(splits), num_values, options);
  };
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  CHECK_THROWS(plan({}, 0, {5}), InvalidArgument);
  CHECK_THROWS(plan({1, 2}, 2, {5}), InvalidArgument);
  CHECK_THROWS(plan({0, 2, 1}, 1, {5}), InvalidArgument);
  CHECK_THROWS(plan({0, most}, 1, {5}), InvalidArgument);
  CHECK_THROWS(plan({0, most, least, 1}, 1, {5}), InvalidArgument);
  CHECK_THROWS(plan({0, 1}, 2, {5}), InvalidArgument);
  CHECK_THROWS(plan({0, 1}, 1, {0}), InvalidArgument);
  CHECK_THROWS(plan({0, 1}, 1, {size_t{1} << 31}), InvalidArgument);
  CHECK_THROWS(plan({0, 1}, 1, {5, size_t{1} << 31}), InvalidArgument);
  CHECK_THROWS(plan({0, 1}, 1, {5, 0, SIZE_MAX}), InvalidArgument);
}

}  // namespace

int main() {
  TestTheTreeFindsTheFirstRow();
  TestRowsAreThoseOfTheDefinition();
  TestEveryValueStandsOnceInItsSegment();
  TestWhatFindsNoRoomIsLeftOver();
  TestLongSequencesAreCutOnRequest();
  TestMistakesAreRefused();
  return mmcore::testing::Report("test_packing");
}
