#include "forge/kernels/ref/rope.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace forge::kernels::ref {

void rope_angles(int32_t position, std::span<const float> inv_freq, float scale, float* cosines,
                 float* sines) {
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const float angle = static_cast<float>(position) * inv_freq[i];
    cosines[i] = static_cast<float>(std::cos(static_cast<double>(angle))) * scale;
    sines[i] = static_cast<float>(std::sin(static_cast<double>(angle))) * scale;
  }
}

void rope_head(float* head, RopePairs pairs, const float* cosines, const float* sines,
               int64_t half) {
  std::array<float, kMaxHeadDim> input;
  std::copy(head, head + 2 * half, input.begin());
  for (int64_t i = 0; i < half; ++i) {
    const bool is_halves = pairs == RopePairs::kHalves;
    const double a = input[static_cast<size_t>(is_halves ? i : 2 * i)];
    const double b = input[static_cast<size_t>(is_halves ? i + half : 2 * i + 1)];
    const double c = cosines[i];
    const double s = sines[i];
    head[i] = static_cast<float>(a * c - b * s);
    head[i + half] = static_cast<float>(b * c + a * s);
  }
}

}  // namespace forge::kernels::ref
