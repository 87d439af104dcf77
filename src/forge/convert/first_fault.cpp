#include "forge/convert/first_fault.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace forge::convert {
namespace {

// Values from here on round to infinity in F16: 65504 plus half a step.
constexpr float kBeyondF16 = 65520.0f;

}  // namespace

void FirstFault::check_row(int64_t row, std::span<const float> values, DType target) {
  const float limit = target == DType::kF16 ? kBeyondF16 : INFINITY;
  // Magnitudes are in the order of their bits, infinity and NaN above all numbers. Without an early
  // end, so that it vectorises.
  int32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<int32_t>(value) & 0x7FFFFFFF);
  }
  if (largest < std::bit_cast<int32_t>(limit)) return;
  const std::lock_guard lock(mutex_);
  if (row_ >= 0 && row_ < row) return;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::fabs(values[i]) < limit) continue;
    row_ = row;
    column_ = static_cast<int64_t>(i);
    value_ = values[i];
    return;
  }
}

Status FirstFault::status(const std::string& origin) const {
  if (row_ < 0) return {};
  const std::string where = fmt::format("[{}, {}]", row_, column_);
  if (std::isfinite(value_)) {
    return make_error(
        "{}: element {} is {}, too large for F16: BF16 and the quantised types hold it", origin,
        where, value_);
  }
  return make_error("{}: element {} is {}, expected a finite number", origin, where, value_);
}

}  // namespace forge::convert
