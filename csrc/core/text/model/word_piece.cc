#include "core/text/model/word_piece.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

size_t CountCharacters(std::string_view word) {
  return word.size() - static_cast<size_t>(std::count_if(word.begin(), word.end(), utf8::IsContinuation));
}

}  // namespace

WordPieceModel::WordPieceModel(const WordPieceSpec& spec)
    : max_word_chars_(spec.max_word_chars), unknown_id_(spec.unknown_id), whole_words_(spec.words.size()) {
  for (const Piece& piece : spec.words) {
    words_.Insert(piece.text, piece.id);
    if (piece.text.empty() || piece.text.size() > WordTable::kMaxBytes) continue;
    // A word within the table's size may still be longer than the model's limit on characters.
    if (piece.text.size() > max_word_chars_) continue;
    whole_words_.Insert(LoadKey(piece.text.data(), piece.text.size(), piece.text.data()), piece.id);
  }
  for (const Piece& piece : spec.suffixes) suffixes_.Insert(piece.text, piece.id);
}

bool WordPieceModel::CutWord(std::string_view word, std::vector<int32_t>& ids,
                             std::vector<size_t>* ends) const {
  ids.clear();
  for (size_t at = 0; at < word.size();) {
    const Trie::Match match = (at == 0 ? words_ : suffixes_).Longest(word.substr(at));
    if (match.id < 0) return false;
    ids.push_back(match.id);
    at += match.size;
    if (ends != nullptr) ends->push_back(at);
  }
  return true;
}

bool WordPieceModel::EncodeUncached(std::string_view word, Workspace& workspace, TokenSink& sink) const {
  if (!CutWord(word, workspace.word_ids, nullptr)) return sink.Push(unknown_id_);
  return sink.Append(workspace.word_ids);
}

bool WordPieceModel::EncodeMissed(const WordKey& key, uint64_t hash, std::string_view word,
                                  Workspace& workspace, TokenSink& sink) const {
  if (!CutWord(word, workspace.word_ids, nullptr)) workspace.word_ids.assign(1, unknown_id_);
  workspace.cache.Insert(key, hash, workspace.word_ids);
  return sink.Append(workspace.word_ids);
}

bool WordPieceModel::Encode(std::string_view word, const char* readable_end, Workspace& workspace,
                            TokenSink& sink) const {
  if (word.size() > max_word_chars_ && CountCharacters(word) > max_word_chars_) {
    return sink.Push(unknown_id_);
  }
  if (word.size() > WordKey::kMaxBytes) return EncodeUncached(word, workspace, sink);
  const WordKey key = LoadKey(word.data(), word.size(), readable_end);
  return EncodeKey(
      key, [&] { return word; }, workspace, sink);
}

void WordPieceModel::EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                                      std::vector<Cut>& pieces) const {
  std::vector<size_t> ends;
  std::vector<int32_t>& ids = workspace.word_ids;
  if (CountCharacters(word) > max_word_chars_ || !CutWord(word, ids, &ends)) {
    ids.assign(1, unknown_id_);
    ends.assign(1, word.size());
  }
  sink.Append(ids);
  size_t begin = 0;
  for (const size_t end : ends) {
    pieces.push_back({begin, end});
    begin = end;
  }
}

}  // namespace text
}  // namespace mmcore
