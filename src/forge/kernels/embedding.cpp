#include "forge/kernels/embedding.h"

#include "forge/base/check.h"
#include "forge/tensor/decode.h"

namespace forge::kernels {

void embedding(const TensorView& table, std::span<const int32_t> token_ids, const ActivationView& y,
               const Context& context) {
  FORGE_CHECK(table.columns() == y.columns && y.rows == static_cast<int64_t>(token_ids.size()),
              "table {} y [{}, {}] ids {}", table.shape.to_string(), y.rows, y.columns,
              token_ids.size());
  for (const int32_t id : token_ids) {
    FORGE_CHECK(id >= 0 && id < table.rows(), "token {} of {}", id, table.rows());
  }
  context.pool->parallel_for(y.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      decode_row(table, token_ids[static_cast<size_t>(t)], y.row(t));
    }
  });
}

}  // namespace forge::kernels
