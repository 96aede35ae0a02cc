// WordModel: a vocabulary that makes ids of one word after another.
#ifndef MMCORE_CORE_TEXT_MODEL_WORD_MODEL_H_
#define MMCORE_CORE_TEXT_MODEL_WORD_MODEL_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/text/split/splitter.h"
#include "core/text/token_sink.h"
#include "core/text/workspace.h"

namespace mmcore {
namespace text {

// Const and safe from any number of threads; what a thread learns or needs for a while is in its Workspace.
class WordModel {
 public:
  virtual ~WordModel() = default;

  // Appends the ids of `word` (valid UTF-8, not empty). False: the sink is full, and no more are wanted.
  // Memory may be read (not used) up to `readable_end`, so that a short word needs no copy.
  virtual bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
                      TokenSink& sink) const = 0;

  // The ids of words of `text`, one after the other.
  virtual bool EncodeWords(const char* text, Span<const Cut> words, const char* readable_end, Workspace& workspace,
                           TokenSink& sink) const {
    for (const Cut& word : words) {
      if (!Encode({text + word.begin, word.end - word.begin}, readable_end, workspace, sink)) return false;
    }
    return true;
  }

  // The same without limit; appends to `pieces`, for each id, the bytes of `word` that it stands for.
  virtual void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                                std::vector<Cut>& pieces) const = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_WORD_MODEL_H_
