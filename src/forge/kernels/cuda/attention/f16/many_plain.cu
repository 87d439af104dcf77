// Attention of many rows over caches of 16 bits, products in f16: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<F16, KvType::kPlain>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
