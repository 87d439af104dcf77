// Checkpoint matrices as packed matrices on a test's device.
#pragma once

#include <vector>

#include "forge/kernels/cuda/weights/layout.h"
#include "forge/kernels/cuda/weights/pack.h"
#include "forge/tensor/view.h"
#include "tests/cuda/on_device.h"

namespace forge::kernels::cuda {

struct PackedOnDevice {
  DeviceArray<std::byte> memory;
  PackedMatrix matrix;
};

/// All zeros.
inline PackedOnDevice empty_matrix(OnDevice& device, WeightKind kind, int64_t rows, int64_t columns,
                                   ProductType product_type = ProductType::kBf16) {
  const PackedLayout layout = packed_layout(kind, rows, columns, product_type);
  PackedOnDevice packed{device.array<std::byte>(static_cast<size_t>(layout.bytes)), {}};
  packed.matrix = place(layout, packed.memory.data());
  OnDevice::require(device.stream().fill(packed.memory.data(), 0, layout.bytes));
  return packed;
}

/// Packs rows [first, first + n) of a checkpoint's matrix.
inline void pack_rows_of(OnDevice& device, const TensorView& view, int64_t first, int64_t n,
                         const RowPlace& place, const PackedMatrix& to) {
  const int64_t bytes = *row_bytes(view.dtype, view.columns());
  const auto* from = view.row(first);
  const auto staging = device.upload(std::vector<std::byte>(from, from + n * bytes));
  OnDevice::require(pack(device.stream(), {.to = to,
                                           .dtype = view.dtype,
                                           .from = staging.data(),
                                           .columns = view.columns(),
                                           .first_row = first,
                                           .n_rows = n,
                                           .place = place}));
  OnDevice::require(device.stream().synchronize());
}

inline PackedOnDevice packed_on(OnDevice& device, const TensorView& view, WeightKind kind,
                                ProductType product_type = ProductType::kBf16) {
  PackedOnDevice packed = empty_matrix(device, kind, view.rows(), view.columns(), product_type);
  pack_rows_of(device, view, 0, view.rows(), {}, packed.matrix);
  return packed;
}

/// Rows [first_row, first_row + n_rows) in 16 bits, padded columns included.
inline std::vector<uint16_t> unpacked(OnDevice& device, const PackedMatrix& matrix,
                                      int32_t first_row, int32_t n_rows) {
  const auto to =
      device.array<uint16_t>(static_cast<size_t>(n_rows) * static_cast<size_t>(matrix.columns));
  OnDevice::require(unpack(device.stream(), {.from = matrix,
                                             .first_row = first_row,
                                             .n_rows = n_rows,
                                             .to = to.data(),
                                             .stride = matrix.columns}));
  return device.download(to);
}

}  // namespace forge::kernels::cuda
