// Reference: the dot product all other reference kernels are made of.
#pragma once

#include <cstdint>

namespace forge::kernels::ref {

/// sum of a[i] * b[i]. Products of two f32 are exact in double; they are added in eight interleaved
/// partial sums (i mod 8) that are folded in a fixed order, so the result depends on n and the
/// values only. Eight rather than one because a single chain of additions is bound by their
/// latency.
[[nodiscard]] inline double dot(const float* a, const float* b, int64_t n) {
  constexpr int kLanes = 8;
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (int lane = 0; i < n; ++i, ++lane) {
    sums[lane] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace forge::kernels::ref
