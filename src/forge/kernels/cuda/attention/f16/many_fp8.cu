// Attention of many rows over caches of e4m3, products in f16: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<F16, KvType::kFp8>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
