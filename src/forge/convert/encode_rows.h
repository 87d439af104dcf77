// Rows of a source's matrix as blocks of the type that the output has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/convert/first_fault.h"
#include "forge/convert/source.h"

namespace forge::convert {

/// The input's row that becomes row r: of halves side by side, neighbours.
[[nodiscard]] int64_t source_row(const SourceTensor& tensor, int64_t r, int64_t n_rows);

/// Rows [begin, end) of the output to out, which holds them one after the other; those of the type
/// already are copied. A value that cannot be stored goes to fault. Any thread.
void encode_rows(const SourceTensor& tensor, DType dtype, int64_t begin, int64_t end,
                 FirstFault& fault, std::byte* out);

}  // namespace forge::convert
