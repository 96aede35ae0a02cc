// WordCounter: how often each word is in texts and files, counted on all cores.
#ifndef MMCORE_CORE_TEXT_TRAIN_WORD_COUNTER_H_
#define MMCORE_CORE_TEXT_TRAIN_WORD_COUNTER_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/text/train/line_reader.h"
#include "core/text/word_counts.h"

namespace mmcore {
namespace text {

class MMCORE_API WordCounter {
 public:
  virtual ~WordCounter();

  // Adds the words of `texts`. Invalid UTF-8 is read as in Tokenizer.
  void Feed(Span<const std::string_view> texts, Executor& executor);

  // Adds the words of the reader's next lines, each with its end a text of its own. False: there were none.
  bool FeedLines(LineReader& reader, Executor& executor);

  size_t num_words() { return Gather().size(); }  // Distinct ones.

 protected:
  // Adds the words of one text, which is valid UTF-8. Called from many threads at once.
  virtual void CountWords(std::string_view text, WordCounts& counts) const = 0;

  const WordCounts& Gather();

 private:
  // Each thread keeps counts of its own until they are asked for: bringing them together costs as much as
  // counting, for each group of texts anew.
  std::vector<WordCounts> parts_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRAIN_WORD_COUNTER_H_
