// Which lines of the input an earlier run has answered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/server/batch/output_line.h"

namespace forge::server::batch {

/// What an output file has. Read only after that.
class AnsweredLines {
 public:
  /// Reads an output file; an empty one is fine. Fails where a line is not a batch's, or two
  /// answer the same; a last line without its end is left out if it looks
  /// like the beginning of a batch's line.
  [[nodiscard]] static Result<AnsweredLines> read(const std::string& path);

  [[nodiscard]] bool contains(int64_t number) const { return find(number) != nullptr; }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(keys_.size()); }
  /// Bytes of the file's whole lines: what follows was never finished.
  [[nodiscard]] int64_t whole_bytes() const { return whole_bytes_; }

  /// Reads the input: the number of its lines that are not blank. Fails where an answered line is
  /// not in it as it was when it was answered; further lines are fine. output_path is for the
  /// message.
  [[nodiscard]] Result<int64_t> count_input(const std::string& input_path,
                                            const std::string& output_path,
                                            size_t max_line_bytes) const;

 private:
  [[nodiscard]] const LineKey* find(int64_t number) const;

  std::vector<LineKey> keys_;  // by number
  int64_t whole_bytes_ = 0;
};

}  // namespace forge::server::batch
