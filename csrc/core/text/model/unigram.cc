#include "core/text/model/unigram.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/errors.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr uint32_t kUnknown = PieceTrie::kRoot;  // The link of a character that is no piece.
constexpr size_t kKeptLinks = 1 << 18;           // Of longer words the memory is given back.
constexpr size_t kNone = SIZE_MAX;
constexpr double kRebaseBeyond = 100'000;  // A float still tells sums apart there that differ by 1/128.

size_t CharSize(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

size_t RingSize(size_t max_piece) {
  size_t size = 64;
  while (size <= std::max<size_t>(max_piece, 4)) size *= 2;
  return size;
}

}  // namespace

// The best path through a word, a character at a time (Viterbi). Scores of paths live in a ring as long as the
// longest piece; the last piece of the best path to each byte is its link. Wherever every path must pass, the
// part before is settled and its links are free again: in most texts after a few characters.
template <bool kFloat>
class Unigram::Lattice {
 public:
  Lattice(const Unigram& model, std::string_view word, UnigramScratch& scratch)
      : model_(model), word_(word), scratch_(scratch), mask_(model.ring_size_ - 1) {
    if (scratch.scores.size() < model.ring_size_) scratch.scores.resize(model.ring_size_, PieceTrie::kNoPiece);
    scores_ = scratch.scores.data();
  }

  // The ring is left empty for the next word, whatever happens.
  ~Lattice() {
    for (size_t i = at_; i <= reach_; ++i) scores_[i & mask_] = PieceTrie::kNoPiece;
    if (scratch_.links.size() > kKeptLinks) std::vector<uint32_t>().swap(scratch_.links);
  }
  Lattice(const Lattice&) = delete;
  Lattice& operator=(const Lattice&) = delete;

  // Calls settled(begin, end, links) for one part of the word after another; links[i] is the last piece on the
  // best path to begin + i. False as soon as it says false.
  template <typename Settled>
  bool Run(const Settled& settled) {
    scores_[0] = 0;
    while (at_ < word_.size()) {
      MakeRoom();
      Extend();
      if (at_ < reach_) continue;
      if (!settled(begin_, at_, links_)) return false;
      begin_ = at_;
    }
    return true;
  }

 private:
  void MakeRoom() {
    const size_t wanted = at_ - begin_ + model_.ring_size_ + 1;
    if (scratch_.links.size() < wanted) scratch_.links.resize(2 * wanted);
    links_ = scratch_.links.data();
  }

  // Goes on from the character at at_ with every piece that fits.
  void Extend() {
    if (kFloat && std::abs(scores_[at_ & mask_]) > kRebaseBeyond) Rebase();
    const double here = scores_[at_ & mask_];
    scores_[at_ & mask_] = PieceTrie::kNoPiece;
    const char* const bytes = word_.data();
    const size_t next = at_ + CharSize(bytes[at_]);
    size_t end = at_;
    uint32_t node = PieceTrie::kRoot;
    do {
      node = model_.trie_.Step(node, bytes[end++]);
    } while (node != PieceTrie::kRoot && end < next);
    const bool is_piece = node != PieceTrie::kRoot && model_.trie_.score(node) != PieceTrie::kNoPiece;
    while (node != PieceTrie::kRoot) {
      Offer(end, here + model_.trie_.score(node), node);
      if (end == word_.size()) break;
      node = model_.trie_.Step(node, bytes[end++]);
    }
    if (!is_piece) OfferUnknown(next, here);
    at_ = next;
  }

  // From here on sums count from 0, as in SentencePiece 0.2.3: those over a long text would lose their digits.
  void Rebase() {
    const double here = scores_[at_ & mask_];
    for (size_t i = at_; i <= reach_; ++i) scores_[i & mask_] = Rounded(scores_[i & mask_] - here);
  }

  // The first of equal paths stays. Where no piece ends the score is -inf, which is never larger.
  void Offer(size_t end, double sum, uint32_t link) {
    const double score = Rounded(sum);
    double& best = scores_[end & mask_];
    if (!(score > best)) return;
    best = score;
    links_[end - begin_] = link;
    reach_ = std::max(reach_, end);
  }

  static double Rounded(double sum) { return kFloat ? static_cast<double>(static_cast<float>(sum)) : sum; }

  void OfferUnknown(size_t end, double here) {
    const double score = here + model_.unknown_score_;
    if (model_.unknown_id_ < 0 && Rounded(score) > scores_[end & mask_]) {
      throw InvalidArgument("a text has the character \"" + std::string(word_.substr(at_, end - at_)) +
                            "\", which is no piece of the vocabulary, and the model has no unknown token");
    }
    Offer(end, score, kUnknown);
  }

  const Unigram& model_;
  const std::string_view word_;
  UnigramScratch& scratch_;
  const size_t mask_;
  double* scores_;
  uint32_t* links_ = nullptr;
  size_t begin_ = 0;  // Of the part that is not settled.
  size_t at_ = 0;     // Characters before it are done.
  size_t reach_ = 0;  // The farthest byte that a piece has led to.
};

// Makes ids of the pieces of a path, in order. Unknown characters wait until it is known how many there are.
template <typename Emit>
class Unigram::Path {
 public:
  Path(const Unigram& model, std::string_view word, const Emit& emit)
      : model_(model), word_(word), emit_(emit) {}

  // Emits the best path from `begin` to `end`.
  bool Add(size_t begin, size_t end, uint32_t* links) {
    TurnAround(begin, end, links);
    for (size_t at = begin; at < end;) {
      const uint32_t link = links[at - begin];
      const size_t next = at + (link == kUnknown ? CharSize(word_[at]) : model_.trie_.size(link));
      if (link == kUnknown || model_.trie_.id(link) == model_.unknown_id_) {
        if (unknown_ == kNone) unknown_ = at;
        if (model_.sentencepiece_ && !model_.byte_ids_.empty() && !Finish(next)) return false;
      } else if (!Finish(at) || !emit_(at, next, model_.trie_.id(link))) {
        return false;
      }
      at = next;
    }
    return true;
  }

  // Emits the unknown characters that wait and end at `end`.
  bool Finish(size_t end) {
    if (unknown_ == kNone) return true;
    const size_t begin = unknown_;
    unknown_ = kNone;
    const std::string_view run = word_.substr(begin, end - begin);
    const int32_t whole = model_.sentencepiece_ ? -1 : model_.trie_.Find(run);
    if (whole >= 0) return emit_(begin, end, whole);
    if (!HasBytes(run)) return emit_(begin, end, model_.unknown_id_);
    for (const char c : run) {
      if (!emit_(begin, end, model_.byte_ids_[static_cast<unsigned char>(c)])) return false;
    }
    return true;
  }

 private:
  // From links at the ends of pieces to links at their begins, in place.
  void TurnAround(size_t begin, size_t end, uint32_t* links) {
    uint32_t link = links[end - begin];
    while (end > begin) {
      const size_t start = end - SizeBefore(end, link);
      std::swap(links[start - begin], link);
      end = start;
    }
  }

  size_t SizeBefore(size_t end, uint32_t link) const {
    if (link != kUnknown) return model_.trie_.size(link);
    size_t size = 1;
    while (utf8::IsContinuation(word_[end - size])) ++size;
    return size;
  }

  bool HasBytes(std::string_view run) const {
    return !model_.byte_ids_.empty() && std::all_of(run.begin(), run.end(), [&](char c) {
      return model_.byte_ids_[static_cast<unsigned char>(c)] >= 0;
    });
  }

  const Unigram& model_;
  const std::string_view word_;
  const Emit& emit_;
  size_t unknown_ = kNone;
};

template <typename Emit>
bool Unigram::Cover(std::string_view word, UnigramScratch& scratch, const Emit& emit) const {
  Path<Emit> path(*this, word, emit);
  const auto settled = [&](size_t begin, size_t end, uint32_t* links) { return path.Add(begin, end, links); };
  const bool going = sentencepiece_ ? Lattice<true>(*this, word, scratch).Run(settled)
                                    : Lattice<false>(*this, word, scratch).Run(settled);
  return going && path.Finish(word.size());
}

Unigram::Unigram(const UnigramOptions& options)
    : trie_(options.pieces),
      unknown_score_(options.unknown_score),
      unknown_id_(options.unknown_id),
      byte_ids_(options.byte_ids),
      sentencepiece_(options.sentencepiece),
      ring_size_(RingSize(trie_.max_size())),
      whole_words_(options.sentencepiece ? 0 : options.pieces.size()) {
  if (!sentencepiece_) FindWholeWords(options.pieces);
}

// Whether a piece is the best cut of itself is tried, not assumed.
void Unigram::FindWholeWords(const std::vector<ScoredPiece>& pieces) {
  // Without an unknown token a word may be an error even where one piece covers it.
  if (unknown_id_ < 0) return;
  UnigramScratch scratch;
  for (const ScoredPiece& piece : pieces) {
    const std::string_view text = piece.text;
    if (text.empty() || text.size() > WordTable::kMaxBytes) continue;
    int32_t whole = -1;
    const auto keep_whole = [&](size_t begin, size_t end, int32_t id) {
      if (begin == 0 && end == text.size()) whole = id;
      return true;
    };
    Cover(text, scratch, keep_whole);
    if (whole >= 0 && whole == trie_.Find(text)) {
      whole_words_.Insert(LoadKey(text.data(), text.size(), text.data() + text.size()), whole);
    }
  }
}

bool Unigram::Encode(std::string_view word, const char* readable_end, Workspace& workspace,
                     TokenSink& sink) const {
  // Rounded sums depend on all that came before: words are not independent of each other.
  if (sentencepiece_ || word.size() > WordKey::kMaxBytes) {
    return Cover(word, workspace.unigram, [&](size_t, size_t, int32_t id) { return sink.Push(id); });
  }
  const WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  if (!known.empty()) return sink.Append(known);
  int32_t ids[WordKey::kMaxBytes];
  size_t count = 0;
  Cover(word, workspace.unigram, [&](size_t, size_t, int32_t id) { return ids[count++] = id, true; });
  workspace.cache.Insert(key, hash, {ids, count});
  return sink.Append({ids, count});
}

void Unigram::EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                               std::vector<Cut>& pieces) const {
  Cover(word, workspace.unigram, [&](size_t begin, size_t end, int32_t id) {
    pieces.push_back({begin, end});
    return sink.Push(id);
  });
}

}  // namespace text
}  // namespace mmcore
