// LineReader: a file as blocks of whole lines, in bounded memory.
#ifndef MMCORE_CORE_TEXT_TRAIN_LINE_READER_H_
#define MMCORE_CORE_TEXT_TRAIN_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/api.h"

namespace mmcore {
namespace text {

class MMCORE_API LineReader {
 public:
  // `strict`: bytes that are not UTF-8 are an error. Throws DataError where the file cannot be read, here and
  // in Next.
  LineReader(std::string path, bool strict, size_t block_bytes = size_t{32} << 20);

  // Lines with their ends, up to `block_bytes` of them; empty at the end of the file. A longer line is cut
  // before its last space that follows something else (where no pattern of words goes on), else between
  // characters. Valid until the next call.
  std::string_view Next();

  uint64_t position() const { return position_; }  // Bytes handed out.

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void Fill();
  size_t Cut() const;
  void CheckValid(std::string_view block) const;

  const std::string path_;
  const bool strict_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // Of what is read and not yet handed out.
  uint64_t position_ = 0;
  uint64_t lines_ = 0;  // Handed out.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRAIN_LINE_READER_H_
