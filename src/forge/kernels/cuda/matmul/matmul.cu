// Which kernel a product takes, and its grid.
#include "forge/kernels/cuda/matmul/matmul.h"

#include "forge/kernels/cuda/matmul/few.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {
namespace {

template <typename Half, typename Weights, int RowTiles, int TokenTiles>
Status launch_few(Stream& stream, const MatmulTask& task) {
  constexpr int kTokens = 8 * TokenTiles;
  const int32_t blocks = (task.weight.n_row_tiles() + RowTiles - 1) / RowTiles;
  const int32_t token_blocks = (task.n_tokens + kTokens - 1) / kTokens;
  return launch(stream,
                {.name = "matmul_few",
                 .grid = {blocks, token_blocks},
                 .n_threads = kFewWarps * kWarpLanes,
                 .shared_bytes = few_shared_bytes<RowTiles, TokenTiles>()},
                matmul_few<Half, Weights, RowTiles, TokenTiles>, task);
}

template <typename Half, typename Weights>
Status launch_kind(Stream& stream, const DeviceInfo&, const MatmulTask& task) {
  if (task.n_tokens <= 8) return launch_few<Half, Weights, 1, 1>(stream, task);
  return launch_few<Half, Weights, 1, 2>(stream, task);
}

}  // namespace

Status matmul(Stream& stream, const DeviceInfo& device, const MatmulTask& task) {
  switch (task.weight.kind) {
    case WeightKind::kHalf:
      return launch_kind<Bf16, HalfRows>(stream, device, task);
    case WeightKind::kInt8:
      return launch_kind<Bf16, Bytes>(stream, device, task);
    case WeightKind::kInt4:
      return launch_kind<Bf16, Int4>(stream, device, task);
    case WeightKind::kInt4Min:
      return launch_kind<Bf16, Int4Min>(stream, device, task);
    case WeightKind::kInt5:
      return launch_kind<Bf16, Int5>(stream, device, task);
    case WeightKind::kInt5Min:
      return launch_kind<Bf16, Int5Min>(stream, device, task);
    case WeightKind::kInt6:
      return launch_kind<Bf16, Int6>(stream, device, task);
  }
  return make_error("matmul: an unknown kind of weight");
}

}  // namespace forge::kernels::cuda
