#include "forge/models/cuda/weight_loader.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "forge/base/thread_pool.h"
#include "forge/kernels/cuda/weights/pack.h"
#include "forge/kernels/rope.h"
#include "forge/models/cuda/pinned_ring.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::Stream;

/// Large enough that a copy over PCIe runs at full speed, small enough that four hardly count.
constexpr int64_t kBufferBytes = int64_t{8} << 20;
/// Decoded and encoded again in one go; stays in L2.
constexpr int64_t kEncodedValues = 32768;

int64_t uploaded_row_bytes(const MatrixSource& source) {
  return *row_bytes(source.uploaded, source.view.columns());
}

/// Rows [first, first + n) as the device wants them.
void read_rows(const MatrixSource& source, int64_t first, int64_t n, std::byte* to) {
  const int64_t bytes = uploaded_row_bytes(source);
  if (source.uploaded == source.view.dtype) {
    std::memcpy(to, source.view.row(first), static_cast<size_t>(n * bytes));
    return;
  }
  const int64_t columns = source.view.columns();
  // Some rows at a time: encoders work on several blocks at once, and a row may have few.
  const int64_t at_once = std::clamp<int64_t>(kEncodedValues / columns, 1, n);
  std::vector<float> values(static_cast<size_t>(at_once * columns));
  for (int64_t r = 0; r < n; r += at_once) {
    const int64_t n_rows = std::min(at_once, n - r);
    for (int64_t i = 0; i < n_rows; ++i) {
      decode_row(source.view, first + r + i, values.data() + i * columns);
    }
    encode(source.uploaded, values.data(), n_rows * columns, to + r * bytes);
  }
}

class Loader {
 public:
  Loader(PinnedRing ring, Stream stream, int n_threads)
      : ring_(std::move(ring)), stream_(std::move(stream)), pool_(n_threads) {}

  Status load(const MatrixLoad& matrix) {
    FORGE_TRY_STATUS(stream_.fill(const_cast<std::byte*>(matrix.to.low), 0, matrix.bytes));
    for (const MatrixSource& source : matrix.sources) {
      const int64_t bytes = uploaded_row_bytes(source);
      const int64_t chunk = std::max<int64_t>(kBufferBytes / bytes / 16 * 16, 16);
      for (int64_t first = 0; first < source.view.rows(); first += chunk) {
        const int64_t n = std::min(chunk, source.view.rows() - first);
        FORGE_TRY_STATUS(load_rows(matrix, source, first, n));
      }
    }
    return {};
  }

  Status load(const VectorLoad& vector) {
    return through_ring(vector.to, static_cast<int64_t>(vector.values.size()),
                        [&](int64_t begin, int64_t end, float* to) {
                          std::copy(vector.values.begin() + begin, vector.values.begin() + end, to);
                        });
  }

  /// The table of angles of positions from 0 on.
  Status load_angles(const float* table, const RopeSpec& rope, const std::vector<float>& inv_freq,
                     int64_t n_positions) {
    const auto half = static_cast<int64_t>(inv_freq.size());
    const auto compute = [&](int64_t begin, int64_t end, float* to) {
      const int64_t first = begin / (2 * half);
      pool_.parallel_for((end - begin) / (2 * half), 64, [&](int64_t from, int64_t until) {
        std::vector<float> cosines(inv_freq.size());
        std::vector<float> sines(inv_freq.size());
        for (int64_t p = from; p < until; ++p) {
          kernels::rope_angles(static_cast<int32_t>(first + p), inv_freq, rope.attention_scale,
                               cosines.data(), sines.data());
          for (int64_t i = 0; i < half; ++i) {
            to[(p * half + i) * 2] = cosines[static_cast<size_t>(i)];
            to[(p * half + i) * 2 + 1] = sines[static_cast<size_t>(i)];
          }
        }
      });
    };
    return through_ring(const_cast<float*>(table), n_positions * 2 * half, compute, 2 * half);
  }

  Status finish() { return stream_.synchronize(); }

 private:
  Status load_rows(const MatrixLoad& matrix, const MatrixSource& source, int64_t first, int64_t n) {
    FORGE_TRY(const PinnedRing::Buffer buffer, ring_.take());
    const int64_t bytes = uploaded_row_bytes(source);
    const int64_t grain = std::max<int64_t>((int64_t{256} << 10) / bytes, 1);
    pool_.parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      read_rows(source, first + begin, end - begin, buffer.host + begin * bytes);
    });
    FORGE_TRY_STATUS(stream_.copy(buffer.device, buffer.host, n * bytes));
    FORGE_TRY_STATUS(kernels::cuda::pack(stream_, {.to = matrix.to,
                                                   .dtype = source.uploaded,
                                                   .from = buffer.device,
                                                   .columns = source.view.columns(),
                                                   .first_row = first,
                                                   .n_rows = n,
                                                   .place = source.place}));
    return ring_.give(stream_);
  }

  /// n floats, made in runs of whole units.
  template <typename Make>
  Status through_ring(float* to, int64_t n, const Make& make, int64_t unit = 1) {
    constexpr auto kFloats = static_cast<int64_t>(kBufferBytes / sizeof(float));
    const int64_t run = kFloats / unit * unit;
    for (int64_t begin = 0; begin < n; begin += run) {
      const int64_t end = std::min(begin + run, n);
      FORGE_TRY(const PinnedRing::Buffer buffer, ring_.take());
      make(begin, end, reinterpret_cast<float*>(buffer.host));
      FORGE_TRY_STATUS(stream_.copy(to + begin, buffer.host,
                                    (end - begin) * static_cast<int64_t>(sizeof(float))));
      FORGE_TRY_STATUS(ring_.give(stream_));
    }
    return {};
  }

  PinnedRing ring_;
  Stream stream_;  // goes before what it reads
  ThreadPool pool_;
};

/// Room for sixteen rows of the widest matrix.
int64_t buffer_bytes(const WeightPlan& plan) {
  int64_t bytes = kBufferBytes;
  for (const MatrixLoad& matrix : plan.matrices) {
    for (const MatrixSource& source : matrix.sources) {
      bytes = std::max(bytes, 16 * uploaded_row_bytes(source));
    }
  }
  return bytes;
}

}  // namespace

Status load_weights(const Model& model, const WeightPlan& plan, int32_t device, int64_t n_positions,
                    int n_threads) {
  FORGE_TRY(Stream stream, Stream::create(device));
  FORGE_TRY(PinnedRing ring, PinnedRing::create(device, buffer_bytes(plan)));
  Loader loader(std::move(ring), std::move(stream), n_threads);
  for (const MatrixLoad& matrix : plan.matrices) FORGE_TRY_STATUS(loader.load(matrix));
  for (const VectorLoad& vector : plan.vectors) FORGE_TRY_STATUS(loader.load(vector));
  const RopeSpec& rope = model.spec.rope;
  FORGE_TRY_STATUS(loader.load_angles(plan.weights.angles, rope, rope.inv_freq, n_positions));
  if (plan.weights.long_angles != nullptr) {
    FORGE_TRY_STATUS(
        loader.load_angles(plan.weights.long_angles, rope, rope.long_inv_freq, n_positions));
  }
  return loader.finish();
}

}  // namespace forge::models::cuda
