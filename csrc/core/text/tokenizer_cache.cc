#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "core/text/tokenizer.h"

namespace mmcore {
namespace text {
namespace {

struct Cache {
  std::mutex mutex;
  std::unordered_multimap<size_t, std::weak_ptr<const Tokenizer>> by_hash;
};

Cache& GlobalCache();

#if defined(__unix__) || defined(__APPLE__)
void LockBeforeFork() { GlobalCache().mutex.lock(); }
void UnlockAfterFork() { GlobalCache().mutex.unlock(); }
#endif

Cache& GlobalCache() {
  static Cache* const cache = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(&LockBeforeFork, &UnlockAfterFork, &UnlockAfterFork);
#endif
    return new Cache;  // Leaked: threads may still use it while the process ends.
  }();
  return *cache;
}

std::string_view View(Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The living tokenizer of this specification, else nullptr. The mutex is held, as in Forget.
std::shared_ptr<const Tokenizer> Find(const Cache& cache, size_t hash, Span<const uint8_t> spec) {
  const auto [first, last] = cache.by_hash.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    std::shared_ptr<const Tokenizer> found = at->second.lock();
    if (found && View(found->spec_bytes()) == View(spec)) return found;
  }
  return nullptr;
}

// Drops what is left of tokenizers that died.
void Forget(Cache& cache) {
  for (auto at = cache.by_hash.begin(); at != cache.by_hash.end();) {
    at = at->second.expired() ? cache.by_hash.erase(at) : std::next(at);
  }
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::FromSpec(Span<const uint8_t> spec) {
  const size_t hash = std::hash<std::string_view>()(View(spec));
  Cache& cache = GlobalCache();
  {
    std::lock_guard<std::mutex> lock(cache.mutex);
    if (auto found = Find(cache, hash, spec)) return found;
  }
  // Built without the lock: it takes tens of milliseconds. If another thread was faster, its object is used.
  const auto made = std::make_shared<const Tokenizer>(spec);
  std::lock_guard<std::mutex> lock(cache.mutex);
  if (auto found = Find(cache, hash, spec)) return found;
  Forget(cache);
  cache.by_hash.emplace(hash, made);
  return made;
}

}  // namespace text
}  // namespace mmcore
