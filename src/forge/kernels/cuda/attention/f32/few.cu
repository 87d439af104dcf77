// Attention of a few rows over caches of 4 bytes, products in f32: the kernels.
#include "forge/kernels/cuda/attention/launch_few.h"

namespace forge::kernels::cuda {

template Status launch_few<F32, KvType::kPlain>(Stream&, const AttentionTask&, FewShape, int32_t);

}  // namespace forge::kernels::cuda
