// Packs plain values (f32, f16, bf16): as rows of what products are computed in, or quantised to 8
// or 4 bits.
#pragma once

#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/weights/pack_place.h"

namespace forge::kernels::cuda {

/// Columns of a row of `from` that are a lane's, zeros past the end and where row is -1.
template <int N>
FORGE_DEVICE void load_values(const PackTask& task, int64_t row, int64_t first_column,
                              float (&values)[N]) {
  for (int e = 0; e < N; ++e) {
    values[e] = 0.0f;
    if (row < 0 || first_column + e >= task.columns) continue;
    const int64_t i = row * task.columns + first_column + e;
    if (task.dtype == DType::kF32) {
      values[e] = reinterpret_cast<const float*>(task.from)[i];
    } else {
      const uint32_t bits = reinterpret_cast<const uint16_t*>(task.from)[i];
      values[e] = task.dtype == DType::kF16 ? f16_low(bits) : bf16_low(bits);
    }
  }
}

template <typename Product>
FORGE_KERNEL(kPackWarps* kWarpLanes, 1)
pack_rows(PackTask task) {
  const PackPlace place = PackPlace::of_this_lane(task);
  for (int h = 0; h < 2; ++h) {
    if (place.source[h] < 0) continue;
    const int64_t row = int64_t{place.at.row_tile} * kRowTile + place.at.lane / 4 + 8 * h;
    for (int group = 0; group < 2; ++group) {
      constexpr int kOwn = kPerWords4<Product>;
      const int column = (place.at.step * 2 + group) * 4 * kOwn + place.at.lane % 4 * kOwn;
      float values[kOwn];
      load_values(task, place.source[h], column, values);
      *reinterpret_cast<Words4*>(const_cast<std::byte*>(task.to.low) + row * task.to.row_bytes +
                                 column * sizeof(Element<Product>)) = to_words4<Product>(values);
    }
  }
}

/// The scale of a group and its numbers. Symmetric, but kInt4's range has one step more below: the
/// largest value becomes -8. Source: ggml's quantize_row_q8_0_ref and quantize_row_q4_0_ref; they
/// round numbers by the scale before it is rounded.
template <typename Product, WeightKind Kind>
FORGE_DEVICE float quantise(const float (&values)[8], uint32_t (&numbers)[8]) {
  float largest = 0.0f;
  float smallest = 0.0f;
  for (const float value : values) {
    largest = larger(largest, value);
    smallest = larger(smallest, -value);
  }
  largest = max_lanes<4>(largest);
  smallest = max_lanes<4>(smallest);
  constexpr bool kIsInt8 = Kind == WeightKind::kInt8;
  const float steps = kIsInt8 ? larger(largest, smallest) / 127.0f
                              : (smallest > largest ? smallest : -largest) / 8.0f;
  const float scale = Product::low(Product::pack(steps, 0.0f));
  constexpr float kOffset = static_cast<float>(planes_of(Kind).offset);
  constexpr float kMost = 2.0f * kOffset - 1.0f;
  for (int e = 0; e < 8; ++e) {
    float number = scale == 0.0f ? kOffset : floorf(values[e] / scale + kOffset + 0.5f);
    number = number > kMost ? kMost : larger(number, kIsInt8 ? 1.0f : 0.0f);
    numbers[e] = static_cast<uint32_t>(number);
  }
  return scale;
}

template <typename Product, WeightKind Kind>
FORGE_KERNEL(kPackWarps* kWarpLanes, 1)
pack_quantised(PackTask task) {
  const PackPlace place = PackPlace::of_this_lane(task);
  const int t = place.at.lane % 4;
  for (int h = 0; h < 2; ++h) {
    float scales[2][2] = {};
    for (int group = 0; group < 2; ++group) {
      const int column = place.at.step * kStepColumns + group * 32 + 8 * t;
      float values[8];
      uint32_t numbers[8];
      load_values(task, place.source[h], column, values);
      scales[group][0] = quantise<Product, Kind>(values, numbers);  // all lanes meet there
      if (place.source[h] >= 0) store_numbers<Kind>(task.to, place.at, group, h, numbers);
    }
    if (t == 0 && place.source[h] >= 0) store_scales<Product, Kind>(task.to, place.at, h, scales);
  }
}

}  // namespace forge::kernels::cuda
