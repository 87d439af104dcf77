// Attention of many rows, queued by the host.
#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/launch_many.h"
#include "forge/kernels/cuda/attention/launchers.h"

namespace forge::kernels::cuda {

extern template Status launch_many<Bf16, KvType::kPlain>(Stream&, const AttentionTask&);
extern template Status launch_many<Bf16, KvType::kFp8>(Stream&, const AttentionTask&);
extern template Status launch_many<Bf16, KvType::kInt8>(Stream&, const AttentionTask&);
extern template Status launch_many<F16, KvType::kPlain>(Stream&, const AttentionTask&);
extern template Status launch_many<F16, KvType::kFp8>(Stream&, const AttentionTask&);
extern template Status launch_many<F16, KvType::kInt8>(Stream&, const AttentionTask&);
extern template Status launch_many<Tf32, KvType::kPlain>(Stream&, const AttentionTask&);
extern template Status launch_many<F32, KvType::kPlain>(Stream&, const AttentionTask&);

namespace {

template <typename Product>
Status launch_in(Stream& stream, const AttentionTask& task) {
  if constexpr (Product::kPerWord == 1) {
    if (task.kv.type != KvType::kPlain) return unknown_kv_type();
    return launch_many<Product, KvType::kPlain>(stream, task);
  } else {
    switch (task.kv.type) {
      case KvType::kPlain:
        return launch_many<Product, KvType::kPlain>(stream, task);
      case KvType::kFp8:
        return launch_many<Product, KvType::kFp8>(stream, task);
      case KvType::kInt8:
        return launch_many<Product, KvType::kInt8>(stream, task);
    }
    return unknown_kv_type();
  }
}

}  // namespace

Status launch_attention_many(Stream& stream, const AttentionTask& task) {
  return with_product_type(task.kv.product_type, [&](auto product_type) {
    return launch_in<decltype(product_type)>(stream, task);
  });
}

}  // namespace forge::kernels::cuda
