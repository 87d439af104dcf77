// The products of one kind of weights: Bytes of weights/fragments.h.
#include "forge/kernels/cuda/matmul/launch_kind.h"

namespace forge::kernels::cuda {

template Status launch_kind<Bytes>(Stream& stream, const DeviceInfo& device, const MatmulTask& task);

}  // namespace forge::kernels::cuda
