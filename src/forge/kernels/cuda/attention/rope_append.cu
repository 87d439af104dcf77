// Turns and appends, queued by the host.
#include "forge/kernels/cuda/attention/rope_append.h"

#include "forge/kernels/cuda/attention/attention.h"
#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {

Status rope_append(Stream& stream, const DeviceInfo&, const RopeAppendTask& task) {
  FORGE_TRY_STATUS(check_heads(task.heads));
  if (task.n_tokens == 0) return {};
  constexpr int32_t kWarps = kRopeThreads / kWarpLanes;
  const int32_t n_items = task.n_tokens * (task.heads.n_heads + 2 * task.heads.n_kv_heads);
  return with_product_type(task.kv.product_type, [&](auto product_type) {
    return with_cache<decltype(product_type)>(
        task.kv.type, task.heads.head_dim, [&]<KvType Type, int HeadDim>() {
          return launch(stream,
                        {.name = "rope_append",
                         .grid = {(n_items + kWarps - 1) / kWarps},
                         .n_threads = kRopeThreads},
                        rope_append_rows<decltype(product_type), Type, HeadDim>, task);
        });
  });
}

}  // namespace forge::kernels::cuda
