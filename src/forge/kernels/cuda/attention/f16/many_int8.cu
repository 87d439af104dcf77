// Attention of many rows over caches of int8, products in f16: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<F16, KvType::kInt8>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
