// From the sizes of a task to the kernel built for them. For the host.
#pragma once

#include <string>

#include "forge/base/result.h"
#include "forge/kernels/cuda/attention/task.h"

namespace forge::kernels::cuda {

template <KvType Type, typename Launch>
[[nodiscard]] Status with_head_dim(int32_t head_dim, Launch&& launch) {
  switch (padded_head_dim(head_dim)) {
    case 32:
      return launch.template operator()<Type, 32>();
    case 64:
      return launch.template operator()<Type, 64>();
    case 96:
      return launch.template operator()<Type, 96>();
    case 128:
      return launch.template operator()<Type, 128>();
    default:
      return launch.template operator()<Type, kMaxHeadDim>();
  }
}

[[nodiscard]] inline Status unknown_kv_type() {
  return Error{"attention: an unknown type of KV cache"};
}

/// launch<KvType, padded head_dim>() for a cache type, of those that there are beside products in
/// Product, and the model's head_dim.
template <typename Product, typename Launch>
[[nodiscard]] Status with_cache(KvType type, int32_t head_dim, Launch&& launch) {
  if constexpr (Product::kPerWord == 1) {
    if (type != KvType::kPlain) return unknown_kv_type();
    return with_head_dim<KvType::kPlain>(head_dim, launch);
  } else {
    switch (type) {
      case KvType::kPlain:
        return with_head_dim<KvType::kPlain>(head_dim, launch);
      case KvType::kFp8:
        return with_head_dim<KvType::kFp8>(head_dim, launch);
      case KvType::kInt8:
        return with_head_dim<KvType::kInt8>(head_dim, launch);
    }
    return unknown_kv_type();
  }
}

/// Messages are put together by hand: nvcc cannot check fmt's format strings.
[[nodiscard]] inline Status check_heads(const HeadShape& heads) {
  const auto text = [](int32_t n) { return std::to_string(n); };
  if (heads.head_dim <= 0 || heads.head_dim > kMaxHeadDim || heads.head_dim % 4 != 0) {
    return Error{"attention: heads of " + text(heads.head_dim) +
                 " dimensions, expected a multiple of 4 up to " + text(kMaxHeadDim)};
  }
  if (heads.n_kv_heads <= 0 || heads.n_heads % heads.n_kv_heads != 0) {
    return Error{"attention: " + text(heads.n_heads) + " query heads for " +
                 text(heads.n_kv_heads) + " of keys"};
  }
  return {};
}

}  // namespace forge::kernels::cuda
