// Span<T>: a view of contiguous elements that somebody else owns. Passed by value.
#ifndef MMCORE_CORE_BASE_SPAN_H_
#define MMCORE_CORE_BASE_SPAN_H_

#include <cstddef>
#include <type_traits>
#include <vector>

namespace mmcore {

template <typename T>
class Span {
 public:
  using Value = std::remove_const_t<T>;

  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
  // Implicit: a view is wanted wherever a vector is passed.
  Span(std::vector<Value>& v) : data_(v.data()), size_(v.size()) {}
  template <typename U = T, typename = std::enable_if_t<std::is_const_v<U>>>
  Span(const std::vector<Value>& v) : data_(v.data()), size_(v.size()) {}
  // From a view that may write. A template of the other's element, so that it is no copy constructor.
  template <typename U, typename = std::enable_if_t<std::is_same_v<const U, T> && !std::is_same_v<U, T>>>
  constexpr Span(const Span<U>& other) : data_(other.data()), size_(other.size()) {}

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T& operator[](size_t i) const { return data_[i]; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  // The caller has checked that offset + count <= size().
  constexpr Span subspan(size_t offset, size_t count) const { return Span(data_ + offset, count); }
  constexpr Span first(size_t count) const { return Span(data_, count); }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_SPAN_H_
