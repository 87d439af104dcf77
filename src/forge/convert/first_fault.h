// The first value of a tensor that cannot be stored, whichever thread meets it.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "forge/base/result.h"
#include "forge/tensor/dtype.h"

namespace forge::convert {

/// Keeps the fault in the lowest row, so that a message does not depend on the threads. Any thread
/// may check rows; each row once.
class FirstFault {
 public:
  /// Looks for NaN and infinity, and for F16 for values that would become infinite.
  void check_row(int64_t row, std::span<const float> values, DType target);
  /// Fails where there was a fault. origin: file and tensor.
  [[nodiscard]] Status status(const std::string& origin) const;

 private:
  std::mutex mutex_;
  int64_t row_ = -1;  // none
  int64_t column_ = 0;
  float value_ = 0.0f;
};

}  // namespace forge::convert
