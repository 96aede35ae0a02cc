// Workspace: what one thread needs while it encodes. A tokenizer lends one to each call (or to each share of
// a batch) and takes it back: its caches outlive the call, and no two threads ever touch the same one.
#ifndef MMCORE_CORE_TEXT_WORKSPACE_H_
#define MMCORE_CORE_TEXT_WORKSPACE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text/bert_normalizer.h"
#include "core/text/normalize/draft.h"
#include "core/text/split/splitter.h"
#include "core/text/word_cache.h"

namespace mmcore {
namespace text {

// Of the search for the best path of a Unigram model.
struct UnigramScratch {
  std::vector<double> scores;  // All -inf between words.
  std::vector<uint32_t> links;
};

struct Workspace {
  WordCache cache;
  std::vector<int32_t> word_ids;     // The ids of one long word.
  std::string text;                  // Text that had to be changed before encoding.
  std::string word;                  // One normalized word.
  std::vector<WaitingMark> waiting;  // Marks that wait for their canonical order.
  UnigramScratch unigram;
  Draft drafts[4];                   // Of a pipeline: two for normalizers, two for steps between splitters.
  std::vector<Cut> words[3];         // The same: of the last step and of this one; those that are encoded next.

  // Gives back what one long text took.
  void Shrink() {
    for (Draft& draft : drafts) {
      if (draft.bytes.capacity() > kKeptBytes) std::string().swap(draft.bytes);
      std::vector<Offset>().swap(draft.origins);
    }
    for (std::vector<Cut>& cuts : words) {
      if (cuts.capacity() > kKeptBytes / sizeof(Cut)) std::vector<Cut>().swap(cuts);
    }
  }

  static constexpr size_t kKeptBytes = size_t{1} << 20;
};

// Lock-free, so that neither many threads nor a fork can block on it. Each thread looks at a place of its own first:
// what it takes is then mostly what it gave back, and lies in the caches of its core.
class WorkspacePool {
 public:
  WorkspacePool() {
    for (auto& place : places_) place.store(nullptr, std::memory_order_relaxed);
  }
  ~WorkspacePool() {
    for (auto& place : places_) delete place.load();
  }
  WorkspacePool(const WorkspacePool&) = delete;
  WorkspacePool& operator=(const WorkspacePool&) = delete;

  class Lease {
   public:
    explicit Lease(WorkspacePool& pool) : pool_(pool), workspace_(pool.Take()) {}
    ~Lease() { pool_.Return(std::move(workspace_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() const { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

 private:
  std::unique_ptr<Workspace> Take() {
    for (size_t i = 0; i < places_.size(); ++i) {
      auto& place = Place(i);
      if (place.load(std::memory_order_relaxed) == nullptr) continue;
      if (Workspace* found = place.exchange(nullptr, std::memory_order_acquire)) {
        return std::unique_ptr<Workspace>(found);
      }
    }
    return std::make_unique<Workspace>();
  }

  // Where all places are taken the workspace is freed: at most that many megabytes stay.
  void Return(std::unique_ptr<Workspace> workspace) {
    workspace->Shrink();
    for (size_t i = 0; i < places_.size(); ++i) {
      auto& place = Place(i);
      Workspace* empty = nullptr;
      if (place.compare_exchange_strong(empty, workspace.get(), std::memory_order_release,
                                        std::memory_order_relaxed)) {
        static_cast<void>(workspace.release());
        return;
      }
    }
  }

  // The place that this thread looks at after `count` others.
  std::atomic<Workspace*>& Place(size_t count) {
    static std::atomic<size_t> threads{0};
    thread_local const size_t first = threads.fetch_add(1, std::memory_order_relaxed);
    return places_[(first + count) % places_.size()];
  }

  std::array<std::atomic<Workspace*>, 16> places_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORKSPACE_H_
