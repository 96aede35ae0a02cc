// SpecReader: little-endian fields of a tokenizer specification, every one checked against the end.
#ifndef MMCORE_CORE_TEXT_SPEC_READER_H_
#define MMCORE_CORE_TEXT_SPEC_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/spec.h"

namespace mmcore {
namespace text {

class SpecReader {
 public:
  // `where` is named in errors: " of the model".
  explicit SpecReader(std::string_view bytes, std::string where = "")
      : bytes_(bytes), where_(std::move(where)) {}

  std::string_view Bytes(size_t size) {
    if (size > left()) Fail("ends early");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  uint32_t U32() {
    const auto* p = reinterpret_cast<const unsigned char*>(Bytes(4).data());
    return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
           static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
  }

  uint64_t U64() {
    const uint64_t low = U32();
    return low | static_cast<uint64_t>(U32()) << 32;
  }

  double F64() {
    const uint64_t bits = U64();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

  std::string_view String() {
    const size_t size = U32();
    if (size > kMaxPieceBytes) Fail("has a piece of " + std::to_string(size) + " bytes, the limit is 65536");
    return Bytes(size);
  }

  // What becomes part of a text.
  std::string_view Utf8() {
    const std::string_view text = String();
    if (utf8::ValidPrefix(text) != text.size()) Fail("has a string that is not UTF-8");
    return text;
  }

  // The count of a list whose items take at least `item_bytes`: a false count cannot make anybody allocate.
  size_t Count(size_t limit, size_t item_bytes, const char* what) {
    const size_t count = U32();
    if (count > limit || count > left() / item_bytes) {
      Fail("says it has " + std::to_string(count) + " " + what);
    }
    return count;
  }

  int32_t Id(size_t vocab_size) {
    const uint32_t id = U32();
    if (id >= vocab_size) {
      Fail("has the id " + std::to_string(id) + " in a vocabulary of " + std::to_string(vocab_size));
    }
    return static_cast<int32_t>(id);
  }

  // -1 where there is none.
  int32_t OptionalId(size_t vocab_size) {
    if (left() >= 4 && bytes_.substr(at_, 4) == "\xFF\xFF\xFF\xFF") return U32(), -1;
    return Id(vocab_size);
  }

  std::vector<std::string_view> Strings(const char* what) {
    std::vector<std::string_view> strings(Count(kMaxVocabSize, 4, what));
    for (std::string_view& string : strings) string = String();
    return strings;
  }

  [[noreturn]] void Fail(const std::string& what) const {
    throw DataError("tokenizer specification " + what + " (at byte " + std::to_string(at_) + where_ + ")");
  }

  void ExpectEnd() const {
    if (left() != 0) Fail("has bytes after its end");
  }

 private:
  size_t left() const { return bytes_.size() - at_; }

  std::string_view bytes_;
  std::string where_;
  size_t at_ = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPEC_READER_H_
