// Compiled once per ISA level: exp and exp2 of whole rows.
#include "forge/kernels/cpu/level/exp.h"
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {
namespace {

template <FloatV (*function)(FloatV)>
FORGE_INLINE void for_each(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, function(load(x + i)));
  if (i == n) return;
  float tail[kLanes] = {};
  for (int64_t j = i; j < n; ++j) tail[j - i] = x[j];
  store(tail, function(load(tail)));
  for (int64_t j = i; j < n; ++j) y[j] = tail[j - i];
}

}  // namespace

void exp_row(const float* x, int64_t n, float* y) { for_each<exp>(x, n, y); }
void exp2_row(const float* x, int64_t n, float* y) { for_each<exp2>(x, n, y); }

}  // namespace forge::kernels::cpu::FORGE_LEVEL
