// The products of one kind of weights: Int6 of weights/fragments.h, in f16.
#include "forge/kernels/cuda/matmul/launch_kind.h"

namespace forge::kernels::cuda {

template Status launch_kind<F16, Int6>(Stream& stream, const DeviceInfo& device,
                                       const MatmulTask& task);

}  // namespace forge::kernels::cuda
