#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "forge/base/cpu_count.h"
#include "forge/base/thread_pool.h"
#include "forge/formats/quote.h"
#include "forge/models/bind_weights.h"
#include "forge/tensor/decode.h"

namespace forge::models {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

// Index of the first element in rows [begin, end) that is NaN or infinite, or kNone.
int64_t first_bad(const TensorView& view, int64_t begin, int64_t end) {
  std::vector<float> row(static_cast<size_t>(view.columns()));
  for (int64_t r = begin; r < end; ++r) {
    decode_row(view, r, row.data());
    for (size_t c = 0; c < row.size(); ++c) {
      if (!std::isfinite(row[c])) return r * view.columns() + static_cast<int64_t>(c);
    }
  }
  return kNone;
}

void lower_to(std::atomic<int64_t>& lowest, int64_t index) {
  int64_t seen = lowest.load();
  while (index < seen && !lowest.compare_exchange_weak(seen, index)) {
  }
}

}  // namespace

Status check_finite(const formats::TensorSet& tensors) {
  ThreadPool pool(usable_cpu_count());
  for (const formats::NamedTensor& tensor : tensors.tensors()) {
    const TensorView& view = tensor.view;
    std::atomic<int64_t> lowest = kNone;
    pool.parallel_for(view.rows(), 1, [&view, &lowest](int64_t begin, int64_t end) {
      lower_to(lowest, first_bad(view, begin, end));
    });
    if (lowest == kNone) continue;
    const int64_t r = lowest / view.columns();
    const int64_t c = lowest % view.columns();
    std::vector<float> row(static_cast<size_t>(view.columns()));
    decode_row(view, r, row.data());
    return make_error("{}: tensor {}: element [{}, {}] is {}, expected a finite number",
                      tensor.file, formats::quote(tensor.name), r, c, row[static_cast<size_t>(c)]);
  }
  return {};
}

}  // namespace forge::models
