#include "forge/convert/encode_rows.h"

#include <algorithm>
#include <span>
#include <vector>

#include "forge/convert/value_scan.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"

namespace forge::convert {
namespace {

void check(const TensorView& view, const std::byte* row, int64_t r, DType dtype,
           FirstFault& fault) {
  std::vector<float> values(static_cast<size_t>(view.columns()));
  decode(view.dtype, row, view.columns(), values.data());
  fault.check_row(r, values, dtype);
}

void copy_rows(const SourceTensor& tensor, int64_t begin, int64_t end, FirstFault& fault,
               std::byte* out) {
  const TensorView& view = tensor.view;
  const int64_t row_bytes = view.bytes_per_row();
  const int64_t n_blocks = view.columns() / info(view.dtype).block_len;
  for (int64_t r = begin; r < end; ++r, out += row_bytes) {
    const std::byte* row = view.row(source_row(tensor, r, view.rows()));
    if (first_bad_block(view.dtype, row, n_blocks) >= 0) check(view, row, r, view.dtype, fault);
    std::copy_n(row, row_bytes, out);
  }
}

}  // namespace

int64_t source_row(const SourceTensor& tensor, int64_t r, int64_t n_rows) {
  if (tensor.n_paired_heads == 0) return r;
  const int64_t per_head = n_rows / tensor.n_paired_heads;
  const int64_t in_head = r % per_head;
  return r - in_head + (in_head % 2) * (per_head / 2) + in_head / 2;
}

void encode_rows(const SourceTensor& tensor, DType dtype, int64_t begin, int64_t end,
                 FirstFault& fault, std::byte* out) {
  const TensorView& view = tensor.view;
  if (view.dtype == dtype) return copy_rows(tensor, begin, end, fault, out);
  const auto n = static_cast<size_t>(view.columns());
  // Kept, because a fresh one would be cleared and its pages be asked of the system each time.
  static thread_local std::vector<float> kept;
  kept.resize(std::max(kept.size(), n * static_cast<size_t>(end - begin)));
  const std::span values(kept.data(), n * static_cast<size_t>(end - begin));
  for (int64_t r = begin; r < end; ++r) {
    const auto row = values.subspan(n * static_cast<size_t>(r - begin), n);
    decode_row(view, source_row(tensor, r, view.rows()), row.data());
    fault.check_row(r, row, dtype);
  }
  // In one go: the searches work on several blocks at a time, and a row may have few.
  encode(dtype, values.data(), static_cast<int64_t>(values.size()), out);
}

}  // namespace forge::convert
