// Attention of a few rows over caches of 4 bytes, products in TF32: the kernels.
#include "forge/kernels/cuda/attention/launch_few.h"

namespace forge::kernels::cuda {

template Status launch_few<Tf32, KvType::kPlain>(Stream&, const AttentionTask&, FewShape, int32_t);

}  // namespace forge::kernels::cuda
