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
#include "core/text/word_cache.h"

namespace mmcore {
namespace text {

struct Workspace {
  WordCache cache;
  std::vector<int32_t> word_ids;     // The ids of one long word.
  std::string text;                  // Text that had to be changed before encoding.
  std::string word;                  // One normalized word.
  std::vector<WaitingMark> waiting;  // Marks that wait for their canonical order.
};

// Lock-free, so that neither many threads nor a fork can block on it.
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
    for (auto& place : places_) {
      if (place.load(std::memory_order_relaxed) == nullptr) continue;
      if (Workspace* found = place.exchange(nullptr, std::memory_order_acquire)) {
        return std::unique_ptr<Workspace>(found);
      }
    }
    return std::make_unique<Workspace>();
  }

  // Where all places are taken the workspace is freed: at most that many megabytes stay.
  void Return(std::unique_ptr<Workspace> workspace) {
    for (auto& place : places_) {
      Workspace* empty = nullptr;
      if (place.compare_exchange_strong(empty, workspace.get(), std::memory_order_release,
                                        std::memory_order_relaxed)) {
        static_cast<void>(workspace.release());
        return;
      }
    }
  }

  std::array<std::atomic<Workspace*>, 16> places_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORKSPACE_H_
