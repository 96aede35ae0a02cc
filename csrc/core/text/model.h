// Model: normalizer, pre-tokenizer and vocabulary of one kind of tokenizer, fused so that a text is read
// once. Works on one piece of text between special tokens; const and safe from any number of threads.
#ifndef MMCORE_CORE_TEXT_MODEL_H_
#define MMCORE_CORE_TEXT_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/span.h"
#include "core/text/token_sink.h"
#include "core/text/workspace.h"

namespace mmcore {
namespace text {

// Bytes [begin, end) of a text.
struct Offset {
  int64_t begin, end;
};

class Model {
 public:
  virtual ~Model();

  // Appends the ids of `text`, which is valid UTF-8 and not empty, until the sink is full. Memory may be read
  // (not used) up to `readable_end`, so that words near the end of a piece need no copy.
  virtual void Encode(std::string_view text, const char* readable_end, Workspace& workspace,
                      TokenSink& sink) const = 0;

  // Encodes without limit and appends, for each id, the bytes of `text` that it stands for, plus `base`.
  virtual void EncodeWithOffsets(std::string_view text, int64_t base, Workspace& workspace, TokenSink& sink,
                                 std::vector<Offset>& offsets) const = 0;

  // The text of `tokens`, which are entries of the vocabulary. May be invalid UTF-8.
  virtual std::string Decode(Span<const std::string_view> tokens) const = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_H_
