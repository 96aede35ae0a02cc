// Tokenizer: text -> ids -> text. Immutable; one object serves any number of threads. The NumPy face and the
// graph op both use this class, so their ids are equal by construction.
#ifndef MMCORE_CORE_TEXT_TOKENIZER_H_
#define MMCORE_CORE_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/base/large_memory.h"
#include "core/base/span.h"
#include "core/text/added_tokens.h"
#include "core/text/decode/decoder.h"
#include "core/text/model.h"
#include "core/text/spec.h"

namespace mmcore {
namespace text {

struct EncodeOptions {
  bool add_special = true;  // The ids that the tokenizer puts before and after a text.
  SpecialText special = SpecialText::kParse;
  size_t max_length = 0;  // Ids a row, special ones included; 0: no limit.
  bool truncate = true;   // Else a text that needs more than max_length ids is an error.
};

// Rows of different lengths: row i is values[row_splits[i], row_splits[i + 1]).
struct Ragged {
  LargeArray<int32_t> values;
  std::vector<int64_t> row_splits;
};

struct TrackedIds {
  std::vector<int32_t> ids;
  std::vector<Offset> offsets;  // Bytes of the text; (0, 0) for what is put around it.
};

// Memory of the caller for a batch: [rows, width], row-major. What a row does not fill has the pad id (0
// where the tokenizer has none) and a false mask.
struct PaddedRows {
  int32_t* ids;
  bool* mask;
  size_t width;
};

class MMCORE_API Tokenizer {
 public:
  // Equal specifications give the same object while it lives. Throws DataError for a malformed one.
  static std::shared_ptr<const Tokenizer> FromSpec(Span<const uint8_t> spec);

  explicit Tokenizer(Span<const uint8_t> spec);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // Texts are any bytes: each maximal invalid subpart of UTF-8 is read as U+FFFD. All throw InvalidArgument
  // for a text over the specification's max_text_bytes, a max_length below the number of special ids, and
  // what the options rule out.
  std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options) const;
  std::vector<Offset> Offsets(std::string_view text, const EncodeOptions& options) const;
  // Ids without limit, with where each comes from; in `plain` special tokens are text.
  TrackedIds EncodeTracked(std::string_view text, const EncodeOptions& options, Span<const Offset> plain) const;
  Ragged EncodeRagged(Span<const std::string_view> texts, const EncodeOptions& options,
                      Executor& executor) const;

  // One row a text, straight into `out`; options.max_length is ignored, out.width takes its place.
  void EncodePadded(Span<const std::string_view> texts, const EncodeOptions& options, Executor& executor,
                    PaddedRows out) const;

  // Copies ragged rows, none longer than out.width, into `out`.
  void Pad(const Ragged& rows, Executor& executor, PaddedRows out) const;

  // Valid UTF-8. Throws InvalidArgument for an id that is not in the vocabulary.
  std::string Decode(Span<const int32_t> ids, bool skip_special) const;

  // What a decoder begins with for an id: bytes where its first step is ByteLevel. Throws as Decode.
  std::string_view TokenText(int32_t id) const;
  bool IsSpecial(int32_t id) const { return is_special_[static_cast<size_t>(id)]; }  // Left out by skip_special.

  size_t vocab_size() const { return spec_.tokens.size(); }
  size_t num_special() const { return spec_.before.size() + spec_.after.size(); }
  int32_t pad_id() const { return spec_.pad_id; }  // -1: none.
  Span<const uint8_t> spec_bytes() const { return bytes_; }

 private:
  void AddTokens();
  void DecodeAs(std::string_view normalized, const AddedToken& token);
  size_t ContentLimit(const EncodeOptions& options) const;
  void CheckSize(std::string_view text) const;
  void EncodeRow(std::string_view text, const EncodeOptions& options, Workspace& workspace,
                 TokenSink& sink) const;
  void EncodeContent(std::string_view text, SpecialText rule, Workspace& workspace, TokenSink& sink) const;
  bool EncodeEnd(std::string_view text, SpecialText rule, size_t limit, Workspace& workspace,
                 TokenSink& sink) const;

  const std::vector<uint8_t> bytes_;  // Views in spec_ point here.
  std::deque<std::string> normalized_;  // So do those of tokens that are decoded as they are normalized here.
  Spec spec_;
  const std::unique_ptr<const Model> model_;
  std::vector<std::unique_ptr<const Decoder>> decoders_;
  AddedTokens early_, late_;     // Found in the text as it is, and in the normalized text.
  std::vector<bool> is_special_;  // By id: decoding may leave it out.
  const std::unique_ptr<class WorkspacePool> workspaces_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TOKENIZER_H_
