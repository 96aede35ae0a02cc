#include "core/text/model/sentencepiece_words.h"

#include <algorithm>

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

}  // namespace

SentencePieceWords::SentencePieceWords(const SentencePieceWordsOptions& options)
    : unknown_id_(options.unknown_id), byte_ids_(options.byte_ids) {
  ids_.reserve(options.pieces.size());
  for (const Piece& piece : options.pieces) ids_.emplace(piece.text, piece.id);
}

// Calls emit(begin, end, id) for each id, in order, until it says false. Unknown words in a row are one id unless
// they become bytes.
template <typename Emit>
bool SentencePieceWords::Cover(std::string_view text, const Emit& emit) const {
  size_t known = 0;  // Words before it are done.
  const auto finish = [&](size_t end) { return known == end || emit(known, end, unknown_id_); };
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    end = std::min(text.find(kSpaceMark, begin + 1), text.size());
    const auto found = ids_.find(text.substr(begin, end - begin));
    if (found != ids_.end()) {
      if (!finish(begin) || !emit(begin, end, found->second)) return false;
      known = end;
    } else if (!byte_ids_.empty()) {
      for (size_t i = begin; i < end; ++i) {
        if (!emit(begin, end, byte_ids_[static_cast<unsigned char>(text[i])])) return false;
      }
      known = end;
    }
  }
  return finish(text.size());
}

bool SentencePieceWords::Encode(std::string_view word, const char*, Workspace&, TokenSink& sink) const {
  return Cover(word, [&](size_t, size_t, int32_t id) { return sink.Push(id); });
}

void SentencePieceWords::EncodeWithPieces(std::string_view word, Workspace&, TokenSink& sink,
                                          std::vector<Cut>& pieces) const {
  Cover(word, [&](size_t begin, size_t end, int32_t id) {
    pieces.push_back({begin, end});
    return sink.Push(id);
  });
}

}  // namespace text
}  // namespace mmcore
