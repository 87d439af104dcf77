// Attention of many rows over caches of 4 bytes, products in f32: the kernels.
#include "forge/kernels/cuda/attention/launch_many.h"

namespace forge::kernels::cuda {

template Status launch_many<F32, KvType::kPlain>(Stream&, const AttentionTask&);

}  // namespace forge::kernels::cuda
