// The output file of a batch: whole lines, only ever appended, by one process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/server/batch/answered_lines.h"

namespace forge::server::batch {

/// Holds the file open and locked (flock), so that a second process is refused; the lock goes with
/// the process, however it ends. One thread at a time.
///
/// What append() has returned from survives the death of the process, kill -9 included, since the
/// system has it; what sync() has returned from survives a crash of the machine.
class Journal {
 public:
  enum class Start { kResume, kOverwrite };

  /// Makes the file if it is not there. Fails where it cannot be made, is no regular file, is the
  /// input itself, is locked by another process, or holds what no batch wrote (kResume). Nothing in
  /// it has been changed so far.
  [[nodiscard]] static Result<Journal> open(const std::string& path, const std::string& input_path,
                                            Start start);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;

  /// Lines of earlier runs; none with kOverwrite.
  [[nodiscard]] const AnsweredLines& answered() const { return answered_; }

  /// Cuts off what is not to stay: an unfinished last line (kResume), everything (kOverwrite). To
  /// be called once before append().
  [[nodiscard]] Status begin();

  /// Appends a line with its end by one write(). Where the disk takes only a part of it, that part
  /// is taken back, and this fails.
  [[nodiscard]] Status append(std::string_view line);
  [[nodiscard]] Status sync();

 private:
  Journal(std::string path, int fd);
  [[nodiscard]] Error failure(std::string_view what) const;

  std::string path_;
  int fd_ = -1;
  AnsweredLines answered_;
  int64_t size_ = 0;  // bytes of whole lines
};

}  // namespace forge::server::batch
