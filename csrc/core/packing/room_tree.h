// The first of many rows that has room for a sequence, in a time that grows with the logarithm of their number.
#ifndef MMCORE_CORE_PACKING_ROOM_TREE_H_
#define MMCORE_CORE_PACKING_ROOM_TREE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mmcore::packing {

// A binary tree over the rooms of rows: each node holds the most of what is below it; leaf i is node leaves + i.
class RoomTree {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  RoomTree(size_t rows, size_t room) : rows_(rows) {
    while (leaves_ < rows) leaves_ *= 2;
    most_.assign(2 * leaves_, 0);
    std::fill_n(most_.begin() + static_cast<std::ptrdiff_t>(leaves_), rows, room);
    for (size_t node = leaves_ - 1; node > 0; --node) most_[node] = std::max(most_[2 * node], most_[2 * node + 1]);
  }

  // The first row with at least `size` left, which is 1 or more; kNone where there is none.
  size_t First(size_t size) const {
    if (rows_ == 0 || most_[1] < size) return kNone;
    size_t node = 1;
    while (node < leaves_) node = 2 * node + (most_[2 * node] < size ? 1 : 0);
    return node - leaves_;
  }

  size_t room(size_t row) const { return most_[leaves_ + row]; }

  void SetRoom(size_t row, size_t room) {
    size_t node = leaves_ + row;
    most_[node] = room;
    for (node /= 2; node > 0; node /= 2) most_[node] = std::max(most_[2 * node], most_[2 * node + 1]);
  }

 private:
  size_t rows_;
  size_t leaves_ = 1;
  std::vector<size_t> most_;
};

}  // namespace mmcore::packing

#endif  // MMCORE_CORE_PACKING_ROOM_TREE_H_
