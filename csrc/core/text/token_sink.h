// TokenSink: where ids go. Either memory of the caller (a row of the output matrix) or a buffer that grows;
// either way at most `limit` ids a row. Appending says false when the row is full: the encoder stops there.
#ifndef MMCORE_CORE_TEXT_TOKEN_SINK_H_
#define MMCORE_CORE_TEXT_TOKEN_SINK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/base/large_memory.h"
#include "core/base/span.h"

namespace mmcore {
namespace text {

class TokenSink {
 public:
  static constexpr size_t kNoLimit = SIZE_MAX;

  TokenSink() : grows_(true) {}
  TokenSink(int32_t* memory, size_t capacity) : begin_(memory), cursor_(memory), capacity_(capacity) {}
  TokenSink(const TokenSink&) = delete;
  TokenSink& operator=(const TokenSink&) = delete;

  // Has room for `count` ids at once, where it is not the caller's memory: growing would copy them, and memory that
  // stays untouched costs nothing.
  void Reserve(size_t count) {
    if (grows_ && count > capacity_) Grow(count);
    SetEnd();
  }

  // From here at most `limit` ids are taken, until the next call.
  void BeginRow(size_t limit) {
    row_end_ = limit > kNoLimit - size() ? kNoLimit : size() + limit;
    overflowed_ = false;
    SetEnd();
  }

  bool Push(int32_t id) {
    if (cursor_ == end_ && !MakeRoom(1)) return false;
    *cursor_++ = id;
    return true;
  }

  bool Append(Span<const int32_t> ids) {
    const bool fits = static_cast<size_t>(end_ - cursor_) >= ids.size() || MakeRoom(ids.size());
    const size_t count = fits ? ids.size() : static_cast<size_t>(end_ - cursor_);
    cursor_ = std::copy_n(ids.data(), count, cursor_);
    return fits;
  }

  bool overflowed() const { return overflowed_; }  // An id did not fit into the row.
  size_t size() const { return static_cast<size_t>(cursor_ - begin_); }
  Span<const int32_t> ids() const { return {begin_, size()}; }

  // The ids without a copy, where they are not in the caller's memory. Leaves the sink empty.
  LargeArray<int32_t> Take() {
    if (memory_.data() == nullptr) return LargeArray<int32_t>(0);
    memory_.Shorten(size());
    begin_ = cursor_ = end_ = nullptr;
    capacity_ = 0;
    return std::move(memory_);
  }

 private:
  void SetEnd() { end_ = begin_ + std::min(capacity_, row_end_); }

  // Makes room for `count` ids, or for as many as the row may still have: then it is overflowed.
  bool MakeRoom(size_t count) {
    const size_t wanted = std::min(count, row_end_ - size());
    if (grows_ && size() + wanted > capacity_) Grow(std::max<size_t>(1024, 2 * (size() + wanted)));
    SetEnd();
    overflowed_ = static_cast<size_t>(end_ - cursor_) < count;
    return !overflowed_;
  }

  void Grow(size_t capacity) {
    LargeArray<int32_t> larger(capacity);
    const size_t used = size();
    if (used != 0) std::memcpy(larger.data(), begin_, used * sizeof(int32_t));
    memory_ = std::move(larger);
    begin_ = memory_.data();
    cursor_ = begin_ + used;
    capacity_ = capacity;
  }

  LargeArray<int32_t> memory_;
  int32_t* begin_ = nullptr;
  int32_t* cursor_ = nullptr;
  int32_t* end_ = nullptr;
  size_t capacity_ = 0;
  size_t row_end_ = kNoLimit;  // In ids from begin_.
  bool grows_ = false;
  bool overflowed_ = false;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TOKEN_SINK_H_
