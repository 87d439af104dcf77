// Attention of a few rows over caches of e4m3, products in f16: the kernels.
#include "forge/kernels/cuda/attention/launch_few.h"

namespace forge::kernels::cuda {

template Status launch_few<F16, KvType::kFp8>(Stream&, const AttentionTask&, FewShape, int32_t);

}  // namespace forge::kernels::cuda
