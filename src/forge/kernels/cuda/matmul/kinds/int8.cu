// The products of one kind of weights: Bytes of weights/fragments.h, in bf16.
#include "forge/kernels/cuda/matmul/launch_kind.h"

namespace forge::kernels::cuda {

template Status launch_kind<Bf16, Bytes>(Stream& stream, const DeviceInfo& device,
                                         const MatmulTask& task);

}  // namespace forge::kernels::cuda
