// Which kind of weights a product has; what becomes of it is in launch_kind.h and plan.h.
#include "forge/kernels/cuda/matmul/matmul.h"

#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {

template <typename Product, typename Weights>
[[nodiscard]] Status launch_kind(Stream& stream, const DeviceInfo& device, const MatmulTask& task);

Status matmul(Stream& stream, const DeviceInfo& device, const MatmulTask& task) {
  return with_product_type(task.weight.product_type, [&](auto product_type) {
    return with_weights<decltype(product_type)>(task.weight.kind, [&](auto weights) {
      return launch_kind<decltype(product_type), decltype(weights)>(stream, device, task);
    });
  });
}

}  // namespace forge::kernels::cuda
