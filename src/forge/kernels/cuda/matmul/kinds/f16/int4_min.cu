// The products of one kind of weights: Int4Min of weights/fragments.h, in f16.
#include "forge/kernels/cuda/matmul/launch_kind.h"

namespace forge::kernels::cuda {

template Status launch_kind<F16, Int4Min>(Stream& stream, const DeviceInfo& device,
                                          const MatmulTask& task);

}  // namespace forge::kernels::cuda
