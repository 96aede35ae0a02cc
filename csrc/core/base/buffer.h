// Buffer<T>: owned memory aligned for the widest vectors (64 bytes), uninitialised, for trivial types only.
#ifndef MMCORE_CORE_BASE_BUFFER_H_
#define MMCORE_CORE_BASE_BUFFER_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#include "core/base/span.h"

namespace mmcore {

template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>, "Buffer does not construct or destroy its elements");

 public:
  static constexpr size_t kAlignment = 64;

  Buffer() = default;
  explicit Buffer(size_t size) : data_(Allocate(size)), size_(size) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }
  Span<T> span() { return Span<T>(data(), size_); }
  Span<const T> span() const { return Span<const T>(data(), size_); }

  // Grows to hold at least `size` elements; what was in it is lost. Never shrinks: made for scratch space.
  void Reserve(size_t size) {
    if (size > size_) *this = Buffer(size);
  }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };

  static T* Allocate(size_t size) {
    if (size > std::numeric_limits<size_t>::max() / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{kAlignment}));
  }

  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_BUFFER_H_
