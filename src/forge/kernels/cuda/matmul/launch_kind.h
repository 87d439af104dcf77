// The kernels of one kind of weights and their launches. Each kind is compiled on its own, in
// kinds/ for bf16 and in kinds/f16/, kinds/tf32/ and kinds/f32/.
#pragma once

#include <type_traits>

#include "forge/kernels/cuda/matmul/many.h"
#include "forge/kernels/cuda/matmul/matmul.h"
#include "forge/kernels/cuda/matmul/plan.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {

template <typename Product, typename Weights>
[[nodiscard]] Status launch_kind(Stream& stream, const DeviceInfo& device, const MatmulTask& task);

template <typename Product, typename Weights, int RowTiles, int TokenTiles>
Status launch_few(Stream& stream, const DeviceInfo& device, const MatmulTask& task) {
  using Shape = FewShape<Product, Weights, RowTiles, TokenTiles>;
  const int32_t groups = (task.weight.n_row_tiles() + RowTiles - 1) / RowTiles;
  const int32_t resident = device.n_processors * Shape::kBlocks;
  return launch(stream,
                {.name = "matmul_few",
                 .grid = {groups < resident ? groups : resident,
                          (task.n_tokens + Shape::kTokens - 1) / Shape::kTokens},
                 .n_threads = kFewWarps * kWarpLanes,
                 .shared_bytes = Shape::kSharedBytes},
                matmul_few<Product, Weights, RowTiles, TokenTiles>, task);
}

// Blocks of the same rows run side by side, so that each weight is read once: the tokens' x is
// smaller than W and stays in L2.
template <typename Product, typename Weights, typename Shape>
Status launch_many(Stream& stream, const MatmulTask& task) {
  return launch(stream,
                {.name = "matmul_many",
                 .grid = {(task.n_tokens + Shape::kTokens - 1) / Shape::kTokens,
                          (task.weight.n_row_tiles() + Shape::kRowTiles - 1) / Shape::kRowTiles},
                 .n_threads = Shape::kWarps * kWarpLanes,
                 .shared_bytes = Shape::kSharedBytes},
                matmul_many<Product, Weights, Shape>, task);
}

template <typename Product, typename Weights>
Status launch_kind(Stream& stream, const DeviceInfo& device, const MatmulTask& task) {
  const MatmulPlan plan =
      plan_matmul(task.weight.n_row_tiles(), task.n_tokens, device.n_processors);
  if (plan.kernel == MatmulPlan::Kernel::kManyLarge) {
    // What is cut in two does not fit into the registers of large blocks.
    using Large = std::conditional_t<Product::kIsSplit, ManySmall, ManyLarge>;
    return launch_many<Product, Weights, Large>(stream, task);
  }
  if (plan.kernel == MatmulPlan::Kernel::kManySmall) {
    return launch_many<Product, Weights, ManySmall>(stream, task);
  }
  switch (plan.row_tiles * 100 + plan.token_tiles) {
    case 101:
      return launch_few<Product, Weights, 1, 1>(stream, device, task);
    case 102:
      return launch_few<Product, Weights, 1, 2>(stream, device, task);
    case 201:
      return launch_few<Product, Weights, 2, 1>(stream, device, task);
    case 202:
      return launch_few<Product, Weights, 2, 2>(stream, device, task);
    case 204:
      return launch_few<Product, Weights, 2, 4>(stream, device, task);
    default:
      return launch_few<Product, Weights, 2, 8>(stream, device, task);
  }
}

}  // namespace forge::kernels::cuda
