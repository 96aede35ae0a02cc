#include "core/text/bpe.h"

#include <algorithm>

#include "core/text/split/block_words.h"

namespace mmcore {
namespace text {

ByteLevelBpe::ByteLevelBpe(const std::vector<std::string_view>& tokens, const BpeSpec& spec,
                           bool add_prefix_space)
    : tokens_(tokens), add_prefix_space_(add_prefix_space), words_(spec, tokens.size()) {}

bool ByteLevelBpe::Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const {
  std::string_view text = piece.text;
  const char* readable_end = piece.readable_end;
  if (add_prefix_space_ && text[0] != ' ') {
    workspace.text.assign(1, ' ').append(text);
    text = workspace.text;
    readable_end = text.data() + text.size();
  }
  bool going = true;
  WordBatch batch = words_.MakeBatch(readable_end, workspace, sink);
  ForEachWord<Gpt2Starts>(isa_, text.data(), text.data() + text.size(), [&](const char* from, const char* to) {
    const bool full = batch.Add({from, static_cast<size_t>(to - from)});
    if (full) going = words_.EncodeBatch(batch, readable_end, workspace, sink);
    return going;
  });
  return going && words_.EncodeBatch(batch, readable_end, workspace, sink);
}

void ByteLevelBpe::EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                                     std::vector<Offset>& offsets) const {
  const size_t first = sink.size();
  const int64_t base = piece.origins->begin;
  const auto size = static_cast<int64_t>(piece.text.size());
  int64_t at = add_prefix_space_ && piece.text[0] != ' ' ? -1 : 0;  // The space in front stands for no byte.
  Encode(piece, workspace, sink);
  // The tokens of a text are its bytes, cut.
  for (size_t i = first; i < sink.size(); ++i) {
    const int64_t next = at + static_cast<int64_t>(tokens_[static_cast<size_t>(sink.ids()[i])].size());
    offsets.push_back({base + std::max<int64_t>(at, 0), base + std::min(next, size)});
    at = next;
  }
}

}  // namespace text
}  // namespace mmcore
