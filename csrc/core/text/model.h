// Model: how a piece of text between added tokens becomes ids. Two are fused for one definition each, so that a
// text is read once (byte_level_bpe of GPT-2, BERT); Pipeline runs any definition step by step. Const and safe
// from any number of threads.
#ifndef MMCORE_CORE_TEXT_MODEL_H_
#define MMCORE_CORE_TEXT_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/normalize/draft.h"
#include "core/text/token_sink.h"
#include "core/text/workspace.h"

namespace mmcore {
namespace text {

// A piece of a text.
struct TextPiece {
  std::string_view text;     // Valid UTF-8.
  const char* readable_end;  // Memory may be read (not used) up to here: words near the end need no copy.
  const Offset* origins;     // One a byte: the bytes of the whole text that it stands for. nullptr: not tracked.
  bool at_start;             // It begins where the whole text begins. Meant where origins are not tracked.

  TextPiece Sub(size_t begin, size_t end) const {
    return {text.substr(begin, end - begin), readable_end, origins == nullptr ? nullptr : origins + begin,
            at_start && begin == 0};
  }
};

class Model {
 public:
  virtual ~Model();

  // The normalized piece, in memory of the workspace until the next call, tracked where `piece` is. As it is
  // where there is no normalizer.
  virtual TextPiece Normalize(const TextPiece& piece, Workspace& workspace) const;

  // Appends the ids of a normalized piece, which is not empty. False: the sink is full.
  virtual bool Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const = 0;

  // The same of a tracked piece, without limit; appends, for each id, the bytes of the whole text that it
  // stands for.
  virtual void EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                                 std::vector<Offset>& offsets) const = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_H_
