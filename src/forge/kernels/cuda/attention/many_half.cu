// Attention of many rows over caches of 16 bits: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<KvType::kHalf>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
