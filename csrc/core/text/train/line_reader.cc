#include "core/text/train/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {

LineReader::LineReader(std::string path, bool strict, size_t block_bytes)
    : path_(std::move(path)), strict_(strict), file_(std::fopen(path_.c_str(), "rb")) {
  if (!file_) throw DataError(path_ + ": cannot be read (" + std::strerror(errno) + "); check the path");
  buffer_.resize(std::max<size_t>(block_bytes, 8));
}

std::string_view LineReader::Next() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  Fill();
  begin_ = Cut();
  const std::string_view block(buffer_.data(), begin_);
  if (strict_) CheckValid(block);
  position_ += block.size();
  lines_ += static_cast<uint64_t>(std::count(block.begin(), block.end(), '\n'));
  return block;
}

void LineReader::Fill() {
  end_ += std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
  if (std::ferror(file_.get())) {
    throw DataError(path_ + ": cannot be read at byte " + std::to_string(position_ + end_));
  }
}

size_t LineReader::Cut() const {
  if (end_ < buffer_.size()) return end_;  // The end of the file.
  const std::string_view read(buffer_.data(), end_);
  const size_t line = read.rfind('\n');
  if (line != std::string_view::npos) return line + 1;
  for (size_t at = read.rfind(' '); at != std::string_view::npos && at > 0; at = read.rfind(' ', at - 1)) {
    if (static_cast<unsigned char>(read[at - 1]) > ' ') return at;
  }
  size_t at = end_;
  while (at > end_ - 4 && utf8::IsContinuation(read[at - 1])) --at;
  return at > end_ - 4 && at > 1 ? at - 1 : end_;
}

void LineReader::CheckValid(std::string_view block) const {
  const size_t valid = utf8::ValidPrefix(block);
  if (valid == block.size()) return;
  const auto before = static_cast<uint64_t>(std::count(block.begin(), block.begin() + static_cast<ptrdiff_t>(valid), '\n'));
  const size_t line = block.rfind('\n', valid);
  const size_t column = line == std::string_view::npos ? valid : valid - line - 1;
  throw DataError(path_ + ", line " + std::to_string(lines_ + before + 1) + " at byte " + std::to_string(column) +
                  ": is not UTF-8; convert the file, for example with: iconv -f LATIN1 -t UTF-8");
}

}  // namespace text
}  // namespace mmcore
