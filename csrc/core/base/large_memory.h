// Memory for large results. The kernel hands out fresh memory page by page, which on virtual machines costs more
// than encoding the text that fills it (2.1 to 2.8 us per 4 kB measured); huge pages cost a third of that and
// less.
#ifndef MMCORE_CORE_BASE_LARGE_MEMORY_H_
#define MMCORE_CORE_BASE_LARGE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/api.h"

namespace mmcore {

constexpr size_t kLargeBytes = size_t{1} << 20;  // From here on huge pages pay.

// Uninitialised, for std::free. Throws std::bad_alloc. What is never touched takes no memory but addresses.
MMCORE_API void* AllocateLarge(size_t bytes);

// Memory for results that are made again and again, batch after batch, and live for one turn of a loop: large blocks
// that were given back are kept, up to kMaxKept bytes, and taken again, so that the kernel hands their pages out
// once. For 33 MB of ids and masks this was a quarter of the time of a batch, and most of what two threads lost
// against one. Safe to call from any thread.
constexpr size_t kMaxKept = size_t{128} << 20;  // A batch of 200 images 224 x 224 in float32.
MMCORE_API void* TakeLarge(size_t bytes);
MMCORE_API void GiveBackLarge(void* memory, size_t bytes);  // bytes: as they were asked for.

// An array of a trivial type in such memory.
template <typename T>
class LargeArray {
 public:
  LargeArray() = default;
  explicit LargeArray(size_t size)
      : bytes_(size > SIZE_MAX / sizeof(T) ? SIZE_MAX : size * sizeof(T)),
        data_(static_cast<T*>(TakeLarge(bytes_))),
        size_(size) {}
  LargeArray(LargeArray&& other) noexcept { *this = std::move(other); }
  LargeArray& operator=(LargeArray&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;
  ~LargeArray() {
    if (data_ != nullptr) GiveBackLarge(data_, bytes_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  // Forgets the elements from `size` on.
  void Shorten(size_t size) { size_ = size; }

 private:
  size_t bytes_ = 0;
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_LARGE_MEMORY_H_
