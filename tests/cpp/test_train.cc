#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/text/bpe_trainer.h"
#include "core/text/train/line_reader.h"
#include "core/text/train/wordpiece_trainer.h"

namespace {

using mmcore::text::LineReader;

// A file that goes with the object.
class File {
 public:
  explicit File(std::string_view content) : path_(std::tmpnam(nullptr)) {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
  }
  ~File() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

std::vector<std::string> Blocks(std::string_view content, size_t block_bytes) {
  const File file(content);
  LineReader reader(file.path(), false, block_bytes);
  std::vector<std::string> blocks;
  for (std::string_view block = reader.Next(); !block.empty(); block = reader.Next()) blocks.emplace_back(block);
  CHECK(reader.position() == content.size());
  return blocks;
}

void TestBlocks() {
  using Strings = std::vector<std::string>;
  CHECK(Blocks("", 8) == Strings{});
  CHECK(Blocks("ab\ncd\nefgh\n", 8) == (Strings{"ab\ncd\n", "efgh\n"}));
  CHECK(Blocks("ab cd  efgh ij", 8) == (Strings{"ab cd", "  efgh", " ij"}));
  CHECK(Blocks("aaaaaaa\xC3\xA9zz", 8) == (Strings{"aaaaaaa", "\xC3\xA9zz"}));
  CHECK(Blocks(std::string(20, '\x80'), 8) == (Strings{std::string(8, '\x80'), std::string(8, '\x80'), std::string(4, '\x80')}));
  CHECK(Blocks(std::string(20, ' '), 8).size() >= 3);
}

void TestErrors() {
  CHECK_THROWS(LineReader("/no/such/file", false), mmcore::DataError);
  const File file("fine\ncaf\xE9\n");
  LineReader strict(file.path(), true);
  CHECK_THROWS(strict.Next(), mmcore::DataError);
  LineReader folder("/", false);
  CHECK_THROWS(folder.Next(), mmcore::DataError);
}

void TestThreadsChangeNothing() {
  std::string content;
  for (int i = 0; i < 20000; ++i) content += "the lower " + std::to_string(i % 977) + " newest caf\xC3\xA9\n";
  const File file(content);
  std::vector<uint8_t> order(256);
  for (size_t i = 0; i < 256; ++i) order[i] = static_cast<uint8_t>(i);
  std::vector<std::string> bpe[2], pieces[2];
  for (size_t threads : std::initializer_list<size_t>{1, 4}) {
    mmcore::PoolExecutor executor(threads);
    mmcore::text::BpeTrainer trainer;
    mmcore::text::WordPieceTrainer wordpiece({true, true, true, true});
    for (LineReader reader(file.path(), true, 1 << 16); trainer.FeedLines(reader, executor);) continue;
    for (LineReader reader(file.path(), true, 1 << 16); wordpiece.FeedLines(reader, executor);) continue;
    bpe[threads > 1] = trainer.Train(600, 0, {}, order, executor).tokens;
    pieces[threads > 1] = wordpiece.Train(300, 0, 1000, {"[UNK]"}, executor);
  }
  CHECK(bpe[0] == bpe[1] && bpe[0].size() == 600);
  CHECK(pieces[0] == pieces[1] && pieces[0].size() == 300);
}

}  // namespace

int main() {
  TestBlocks();
  TestErrors();
  mmcore::SetNumThreads(4);
  TestThreadsChangeNothing();
  return mmcore::testing::Report("train");
}
