// Vectors of floats for the passes over a whole row of logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace forge::engine {

template <int n>
struct LanesOf {
  typedef float Floats __attribute__((vector_size(n * 4)));
  typedef int32_t Ints __attribute__((vector_size(n * 4)));
};

/// n floats that are computed together; +, *, < and ?: work on all of them (a vector extension that
/// g++ and clang share). Comparisons give a LaneMask: all bits set where true.
template <int n>
using Lanes = typename LanesOf<n>::Floats;
template <int n>
using LaneMask = typename LanesOf<n>::Ints;

/// The largest of 16 floats, none of them not-a-number. Of 4 lanes, which every machine has.
[[nodiscard]] inline float max_of_16(const float* x) {
  Lanes<4> part[4];
  __builtin_memcpy(part, x, sizeof(part));
  const Lanes<4> a = part[0] > part[1] ? part[0] : part[1];
  const Lanes<4> b = part[2] > part[3] ? part[2] : part[3];
  const Lanes<4> m = a > b ? a : b;
  const float left = m[0] > m[1] ? m[0] : m[1];
  const float right = m[2] > m[3] ? m[2] : m[3];
  return left > right ? left : right;
}

/// The largest of n > 0 floats, none of them not-a-number.
[[nodiscard]] inline float max_of(std::span<const float> x) {
  float max = x[0];
  size_t i = 0;
  for (; i + 16 <= x.size(); i += 16) {
    const float next = max_of_16(&x[i]);
    max = next > max ? next : max;
  }
  for (; i < x.size(); ++i) max = x[i] > max ? x[i] : max;
  return max;
}

}  // namespace forge::engine
