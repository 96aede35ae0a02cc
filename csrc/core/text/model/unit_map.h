// UnitMap: code point (or byte) -> id. Pages of 256, so that the few scripts of a vocabulary take a few kB.
#ifndef MMCORE_CORE_TEXT_MODEL_UNIT_MAP_H_
#define MMCORE_CORE_TEXT_MODEL_UNIT_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mmcore {
namespace text {

class UnitMap {
 public:
  UnitMap() : ids_(kPageSize, -1) {}

  // Of equal units the last one counts. A unit is at most 0x10FFFF.
  void Insert(uint32_t unit, int32_t id) {
    uint16_t& page = page_of_[unit / kPageSize];
    if (page == 0) {
      page = static_cast<uint16_t>(ids_.size() / kPageSize);
      ids_.resize(ids_.size() + kPageSize, -1);
    }
    ids_[page * kPageSize + unit % kPageSize] = id;
  }

  // -1 where the unit is not there.
  int32_t Find(uint32_t unit) const {
    return ids_[page_of_[unit / kPageSize] * kPageSize + unit % kPageSize];
  }

  // Calls visit(id) for all ids and for -1 many times.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const int32_t id : ids_) visit(id);
  }

 private:
  static constexpr size_t kPageSize = 256;

  std::array<uint16_t, 0x110000 / kPageSize> page_of_{};
  std::vector<int32_t> ids_;  // Page 0 is empty.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_UNIT_MAP_H_
