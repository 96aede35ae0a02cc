// Decoder: one step from tokens to a text.
#ifndef MMCORE_CORE_TEXT_DECODE_DECODER_H_
#define MMCORE_CORE_TEXT_DECODE_DECODER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/spec.h"

namespace mmcore {
namespace text {

// The texts of tokens, one after another in one string.
class TokenTexts {
 public:
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  const std::string& joined() const { return bytes_; }

  // What is written on top of `bytes` is refused with a LimitError: some steps make texts longer, and 64 of them
  // would fill any memory.
  void SetLimit(size_t bytes) { limit_ = bytes; }

  void Clear() {
    bytes_.clear();
    ends_.clear();
  }
  // Appends to the token that is being written; End completes it.
  void Write(std::string_view part) {
    if (bytes_.size() + part.size() > limit_) RefuseSize();
    bytes_.append(part);
  }
  void End() { ends_.push_back(bytes_.size()); }
  void Add(std::string_view token) {
    Write(token);
    End();
  }

 private:
  [[noreturn]] void RefuseSize() const;

  std::string bytes_;
  std::vector<size_t> ends_;
  size_t limit_ = static_cast<size_t>(-1);
};

// Const and safe from any number of threads.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Writes what becomes of `tokens` to `out`, which is empty.
  virtual void Apply(const TokenTexts& tokens, TokenTexts& out) const = 0;
};

// Throws DataError for an unknown tag and malformed fields. The fields stay alive as long as the decoder.
std::unique_ptr<const Decoder> MakeDecoder(const Part& part);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_DECODE_DECODER_H_
