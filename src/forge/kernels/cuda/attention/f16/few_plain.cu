// Attention of a few rows over caches of 16 bits, products in f16: the kernels.
#include "forge/kernels/cuda/attention/launch_few.h"

namespace forge::kernels::cuda {

template Status launch_few<F16, KvType::kPlain>(Stream&, const AttentionTask&, FewShape, int32_t);

}  // namespace forge::kernels::cuda
