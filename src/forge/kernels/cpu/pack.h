// From rows of blocks, as files have them, to the packed panels of packed_format.h, and back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/kernels/cpu/packed_format.h"
#include "forge/tensor/view.h"

namespace forge::kernels::cpu {

/// Packs panels [panel_begin, panel_end) of a matrix (rows, k) to out, panel_bytes(dtype, k) each,
/// from the first byte of panel_begin on. Rows beyond the matrix become zeros. A permutation of the
/// file's bits: no value changes. out is aligned to 16 bytes. Any thread; disjoint ranges may be
/// packed at once. The bytes are not in this core's caches afterwards.
void pack_panels(const TensorView& matrix, int64_t panel_begin, int64_t panel_end, std::byte* out);

/// Row r (0..15) of a packed panel as f32 (k values), bit for bit what decode_row() gives for the
/// row that was packed.
void unpack_row(DType dtype, const std::byte* panel, int r, int64_t k, float* out);

}  // namespace forge::kernels::cpu
