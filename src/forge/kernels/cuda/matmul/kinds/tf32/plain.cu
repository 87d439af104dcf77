// The products of one kind of weights: PlainRows of weights/fragments.h, in TF32.
#include "forge/kernels/cuda/matmul/launch_kind.h"

namespace forge::kernels::cuda {

template Status launch_kind<Tf32, PlainRows>(Stream& stream, const DeviceInfo& device,
                                             const MatmulTask& task);

}  // namespace forge::kernels::cuda
