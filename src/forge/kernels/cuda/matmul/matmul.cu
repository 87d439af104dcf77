// Which kind of weights a product has; what becomes of it is in launch_kind.h and plan.h.
#include "forge/kernels/cuda/matmul/matmul.h"

#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {

template <typename Half, typename Weights>
[[nodiscard]] Status launch_kind(Stream& stream, const DeviceInfo& device, const MatmulTask& task);

Status matmul(Stream& stream, const DeviceInfo& device, const MatmulTask& task) {
  return with_product_type(task.weight.half, [&](auto half) {
    return with_weights<decltype(half)>(task.weight.kind, [&](auto weights) {
      return launch_kind<decltype(half), decltype(weights)>(stream, device, task);
    });
  });
}

}  // namespace forge::kernels::cuda
