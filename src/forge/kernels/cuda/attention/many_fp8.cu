// Attention of many rows over caches of e4m3: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<KvType::kFp8>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
