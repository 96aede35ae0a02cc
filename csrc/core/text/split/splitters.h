// The splitters of Hugging Face's pre-tokenizers, and the patterns that Split may have.
#ifndef MMCORE_CORE_TEXT_SPLIT_SPLITTERS_H_
#define MMCORE_CORE_TEXT_SPLIT_SPLITTERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/api.h"
#include "core/text/split/behaviour.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

// The regular expressions that have a scanner; the numbers are those of a specification (core/text/spec.h), and
// mmcore/text/patterns.py says which expression is which.
enum class Pattern : uint32_t {
  kGpt2 = 0,
  kClip = 1,           // Without the names of CLIP's special tokens.
  kClipWithNames = 2,  // With them: openai/clip-vit's tokenizer.json.
  kCl100k = 3,         // GPT-4, Llama 3.
  kCl100kTiktoken = 4,
  kCl100kOniguruma = 5,  // tiktoken's spelling as Hugging Face reads it.
  kQwen2 = 6,
  kQwen35 = 7,  // Qwen 3.5: marks are letters.
  kO200k = 8,       // GPT-4o, Llama 4.
  kTekken = 9,      // Mistral's.
  kSpaces = 10,
  kDigitGroups = 11,
  kDigit = 12,
  kDeepSeek = 13,  // The third of DeepSeek V3's patterns,
  kCjk = 14,       // and the second.
  kKimi = 15,
  kCount = 16,
};

MMCORE_API std::unique_ptr<Splitter> SplitPattern(Pattern pattern, Behaviour behaviour, bool invert);

// The matches of CLIP's pattern (`names`: with the names of its special tokens), each cut by GPT-2's, in one pass.
MMCORE_API std::unique_ptr<Splitter> SplitClipAndGpt2(bool names);

// `literal` is not empty. Metaspace is SplitLiteral("\u2581", kMergedWithNext, false).
MMCORE_API std::unique_ptr<Splitter> SplitLiteral(std::string literal, Behaviour behaviour, bool invert);

MMCORE_API std::unique_ptr<Splitter> SplitWhitespace();  // \w+|[^\w\s]+
MMCORE_API std::unique_ptr<Splitter> SplitOnWhitespace();
MMCORE_API std::unique_ptr<Splitter> SplitPunctuation(Behaviour behaviour);
MMCORE_API std::unique_ptr<Splitter> SplitDigits(bool individual);
MMCORE_API std::unique_ptr<Splitter> SplitBert();

// Words of `length` > 0 characters; the last one may be shorter.
MMCORE_API std::unique_ptr<Splitter> SplitFixedLength(size_t length);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_SPLITTERS_H_
