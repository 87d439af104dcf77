// Writing a file while its next bytes are being made.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>

#include "forge/base/result.h"
#include "forge/formats/output_file.h"

namespace forge::convert {

/// Owns a thread that writes one run of bytes at a time to the file, which is this object's from
/// construction to finish(). One owner thread.
class BackgroundWriter {
 public:
  explicit BackgroundWriter(formats::OutputFile& file);
  /// Ends the thread after what it has in hand.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  /// Waits until all earlier bytes are written, then returns while these are being written: bytes
  /// must stay until the next call returns. Fails as soon as a write has failed.
  [[nodiscard]] Status write(std::span<const std::byte> bytes);
  /// Waits until all is written; fails where a write has.
  [[nodiscard]] Status finish();

 private:
  void work();

  formats::OutputFile& file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::span<const std::byte> in_hand_;  // empty: none
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace forge::convert
