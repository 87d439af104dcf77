// Reference: attention of one query head.
#pragma once

#include <cstdint>

#include "forge/kernels/attention.h"

namespace forge::kernels::ref {

/// q, out: (head_dim); out may be q.   position: the query's own.
void attend(const float* q, int32_t position, int32_t kv_head, const SequenceRows& sequence,
            const KvLayerView& cache, const AttentionSpec& spec, float* out);

}  // namespace forge::kernels::ref
