// Which kernel packs a task.
#include "forge/kernels/cuda/weights/pack.h"

#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/weights/layout.h"
#include "forge/kernels/cuda/weights/pack_blocks.h"
#include "forge/kernels/cuda/weights/pack_values.h"

namespace forge::kernels::cuda {
namespace {

Status launch_pack(Stream& stream, const char* name, void (*kernel)(PackTask),
                   const PackTask& task) {
  const int64_t warps = touched_tiles(task).n * task.to.n_steps();
  return launch(stream,
                {.name = name,
                 .grid = {static_cast<int32_t>((warps + kPackWarps - 1) / kPackWarps)},
                 .n_threads = kPackWarps * kWarpLanes,
                 .overlaps = false},
                kernel, task);
}

template <typename Product>
Status pack_plain(Stream& stream, const PackTask& task) {
  switch (task.to.kind) {
    case WeightKind::kPlain:
      return launch_pack(stream, "pack_rows", pack_rows<Product>, task);
    case WeightKind::kInt8:
      return launch_pack(stream, "pack_int8", pack_quantised<Product, WeightKind::kInt8>, task);
    default:
      return launch_pack(stream, "pack_int4", pack_quantised<Product, WeightKind::kInt4>, task);
  }
}

template <typename Product, typename Block>
Status pack_as(Stream& stream, const PackTask& task) {
  return launch_pack(stream, "pack_blocks", pack_blocks<Product, Block>, task);
}

template <typename Product>
Status pack_in(Stream& stream, const PackTask& task) {
  if (info(task.dtype).block_len == 1) return pack_plain<Product>(stream, task);
  switch (task.dtype) {
    case DType::kQ4_0:
      return pack_as<Product, BlockQ4_0>(stream, task);
    case DType::kQ4_1:
      return pack_as<Product, BlockQ4_1>(stream, task);
    case DType::kQ5_0:
      return pack_as<Product, BlockQ5_0>(stream, task);
    case DType::kQ5_1:
      return pack_as<Product, BlockQ5_1>(stream, task);
    case DType::kQ8_0:
      return pack_as<Product, BlockQ8_0>(stream, task);
    case DType::kQ4_K:
      return pack_as<Product, BlockQ4_K>(stream, task);
    case DType::kQ5_K:
      return pack_as<Product, BlockQ5_K>(stream, task);
    case DType::kQ6_K:
      return pack_as<Product, BlockQ6_K>(stream, task);
    default:
      return pack_as<Product, BlockQ8_K>(stream, task);
  }
}

}  // namespace

Status pack(Stream& stream, const PackTask& task) {
  if (task.n_rows == 0) return {};
  FORGE_TRY_STATUS(check_packing(task.dtype, task.to.kind, task.to.product_type));
  if (element_bytes(task.to.product_type) == 2) {
    return with_half(task.to.product_type, [&](auto product_type) {
      return pack_in<decltype(product_type)>(stream, task);
    });
  }
  // check_packing() has seen that the kind is kPlain.
  return task.to.product_type == ProductType::kTf32
             ? launch_pack(stream, "pack_rows", pack_rows<Tf32>, task)
             : launch_pack(stream, "pack_rows", pack_rows<F32>, task);
}

}  // namespace forge::kernels::cuda
