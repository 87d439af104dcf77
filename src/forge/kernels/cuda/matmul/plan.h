// Which kernel a product takes and in what shape. Pure: it needs no device, and no choice of it
// changes a bit of the result.
#pragma once

#include <cstdint>

namespace forge::kernels::cuda {

struct MatmulPlan {
  enum class Kernel : uint8_t { kFew, kManySmall, kManyLarge };
  Kernel kernel = Kernel::kFew;
  int32_t row_tiles = 1;    // kFew: 1 or 2
  int32_t token_tiles = 1;  // kFew: 1, 2, 4, 8 with 2 row tiles; 1, 2 with 1
};

/// None of the bounds has been measured yet; each is what its comment says.
constexpr MatmulPlan plan_matmul(int32_t n_row_tiles, int32_t n_tokens, int32_t n_processors) {
  using Kernel = MatmulPlan::Kernel;
  const auto blocks = [](int64_t n, int64_t of) { return (n + of - 1) / of; };
  constexpr int32_t kMostOfFew = 64;
  if (n_tokens > kMostOfFew) {
    // A large block does the work of four small ones, in about three times the time of one.
    const int64_t large = blocks(n_row_tiles, 8) * blocks(n_tokens, 128);
    const int64_t small = blocks(n_row_tiles, 4) * blocks(n_tokens, 64);
    if (blocks(large, n_processors) * 3 < blocks(small, n_processors)) {
      return {.kernel = Kernel::kManyLarge};
    }
    if (2 * small >= n_processors) return {.kernel = Kernel::kManySmall};
    return {.row_tiles = 1, .token_tiles = 2};  // it cuts K, too, over warps
  }
  const int32_t token_tiles = n_tokens <= 8 ? 1 : n_tokens <= 16 ? 2 : n_tokens <= 32 ? 4 : 8;
  if (token_tiles <= 2) {
    // Two row tiles share a load of x, once two blocks a processor have two each.
    return {.row_tiles = n_row_tiles >= 4 * n_processors ? 2 : 1, .token_tiles = token_tiles};
  }
  // One block a processor has two; small matrices are spread over more blocks of fewer tokens,
  // which find the weights in L2.
  if (4 * blocks(n_row_tiles, 2) >= 3 * n_processors) {
    return {.row_tiles = 2, .token_tiles = token_tiles};
  }
  return {.row_tiles = 1, .token_tiles = 2};
}

}  // namespace forge::kernels::cuda
