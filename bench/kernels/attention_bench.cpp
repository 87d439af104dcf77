// How fast attention reads the KV cache in decode, and multiplies in prefill, on one core: as
// shares of what a plain loop reads and of the level's peak rate of products, measured in the same
// run.
//
//   attention_bench [ISA level [decode | prefill]]        default: the best, both
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/kernels/cpu/levels.h"

namespace forge::kernels::cpu {
namespace {

struct Shape {
  const char* model;
  int32_t head_dim;
  int32_t group;
};
constexpr Shape kShapes[] = {
    {"SmolLM2-135M", 64, 3},   {"Qwen2.5-0.5B", 64, 7}, {"Qwen3-0.6B", 128, 2},
    {"TinyLlama-1.1B", 64, 8}, {"Phi-3-mini", 96, 1},   {"Llama-3.1-8B", 128, 4},
};
constexpr const char* kTypeNames[] = {"bf16", "f16", "f32", "int8"};
constexpr int kRepeats = 7;

/// Of processor time: another busy process costs a comparison less than on the wall clock.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double seconds(const std::function<void()>& work) {
  const double begin = now();
  work();
  return now() - begin;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Bytes per second of a plain read.
double read_rate(const HugeBuffer& buffer) {
  const auto* p = reinterpret_cast<const uint64_t*>(buffer.data());
  uint64_t sums[8] = {};
  const double s = seconds([&] {
    for (size_t i = 0; i + 8 <= buffer.bytes() / 8; i += 8) {
      for (size_t j = 0; j < 8; ++j) sums[j] += p[i + j];
    }
  });
  volatile uint64_t keep = std::accumulate(std::begin(sums), std::end(sums), uint64_t{0});
  static_cast<void>(keep);
  return static_cast<double>(buffer.bytes()) / s;
}

/// A cache of many heads, all filled, whose blocks follow one another or are in random order.
struct Cache {
  Cache(const KernelTable& table, KvType of, int32_t dim, int32_t tokens, int64_t bytes,
        bool is_shuffled)
      : type(of), head_dim(dim), n_tokens(tokens), stride(kv_head_block_bytes(of, dim)) {
    const int32_t n_blocks = tokens / kKvBlockLen;
    n_heads = static_cast<int32_t>(std::max<int64_t>(1, bytes / (stride * n_blocks)));
    blocks.resize(static_cast<size_t>(n_heads * n_blocks));
    std::iota(blocks.begin(), blocks.end(), 0);
    if (is_shuffled) std::shuffle(blocks.begin(), blocks.end(), std::mt19937(1));
    auto allocated =
        HugeBuffer::allocate(static_cast<size_t>(n_heads) * static_cast<size_t>(n_blocks * stride));
    memory = std::move(*allocated);
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    std::vector<float> row(static_cast<size_t>(dim) * 64);
    for (float& x : row) x = normal(random);
    for (int32_t h = 0; h < n_heads; ++h) {
      for (int32_t t = 0; t < tokens; ++t) {
        const float* x = row.data() + t * 7 % 63 * dim;
        table.kv_append[static_cast<int>(type)]({.head = head(h),
                                                 .position = t,
                                                 .n_tokens = 1,
                                                 .k = x,
                                                 .k_stride = dim,
                                                 .v = x + dim,
                                                 .v_stride = dim});
      }
    }
  }
  [[nodiscard]] KvHead head(int32_t h) {
    return {.base = memory.data(),
            .block_stride = stride,
            .v_offset = kv_part_bytes(type, head_dim),
            .blocks = blocks.data() + h * (n_tokens / kKvBlockLen),
            .head_dim = head_dim};
  }
  KvType type;
  int32_t head_dim;
  int32_t n_tokens;
  int64_t stride;
  int32_t n_heads;
  std::vector<int32_t> blocks;
  HugeBuffer memory;
};

struct Bench {
  explicit Bench(IsaLevel level) : table(kernels_of(level)) {
    auto allocated = HugeBuffer::allocate(
        static_cast<size_t>(attention_scratch_bytes(KvType::kInt8, kMaxHeadDim)));
    scratch = std::move(*allocated);
  }

  /// Rows [begin, end) of every head in the cache.
  void attend(Cache& cache, int32_t group, int32_t begin, int32_t end) {
    const int64_t row = int64_t{group} * cache.head_dim;
    q.resize(static_cast<size_t>((end - begin) * row), 0.3f);
    out.resize(q.size());
    for (int32_t h = 0; h < cache.n_heads; ++h) {
      table.attention[static_cast<int>(cache.type)]({.head = cache.head(h),
                                                     .group = group,
                                                     .n_rows = end - begin,
                                                     .position = begin,
                                                     .window = 0,
                                                     .scale = 0.1f,
                                                     .q = q.data(),
                                                     .q_stride = row,
                                                     .span_begin = 0,
                                                     .span_end = (end - 1) / kKvSpanLen + 1,
                                                     .out = out.data(),
                                                     .out_stride = row,
                                                     .partials = nullptr,
                                                     .partial_column_stride = 0,
                                                     .partial_span_stride = 0,
                                                     .scratch = scratch.data()});
    }
  }

  void decode(KvType type, const Shape& shape, int32_t n_tokens, bool is_shuffled) {
    if (only == "prefill") return;
    Cache cache(table, type, shape.head_dim, n_tokens, int64_t{192} << 20, is_shuffled);
    std::vector<double> share;
    std::vector<double> rate;
    for (int r = 0; r < kRepeats; ++r) {
      const double plain = read_rate(cache.memory);
      const double s = seconds([&] { attend(cache, shape.group, n_tokens - 1, n_tokens); });
      rate.push_back(static_cast<double>(cache.memory.bytes()) / s);
      share.push_back(rate.back() / plain);
    }
    std::printf("decode   %-5s %-15s depth %5d, %s  %6.1f GB/s   %5.1f %% of a plain read\n",
                kTypeNames[static_cast<int>(type)], shape.model, n_tokens,
                is_shuffled ? "blocks at random" : "blocks in order  ", median(rate) * 1e-9,
                100.0 * median(share));
  }

  void prefill(KvType type, const Shape& shape, int32_t begin, int32_t end) {
    if (only == "decode") return;
    Cache cache(table, type, shape.head_dim, end, 1, true);
    double seen = 0.0;
    for (int32_t t = begin; t < end; ++t) seen += t + 1;
    const double operations = 4.0 * shape.head_dim * shape.group * seen;
    const bool is_f32 = type == KvType::kF16 || type == KvType::kF32;
    const auto peak = is_f32 ? table.peak_f32 : table.peak_bf16;
    std::vector<double> share;
    std::vector<double> rate;
    for (int r = 0; r < kRepeats; ++r) {
      double done = 0.0;
      const double s_peak = seconds([&] { done = peak(2'000'000); });
      const double s = seconds([&] { attend(cache, shape.group, begin, end); });
      rate.push_back(operations / s);
      share.push_back(rate.back() / (done / s_peak));
    }
    std::printf("prefill  %-5s %-15s %5d..%-5d   %6.1f GFLOP/s %5.1f %% of the %s peak\n",
                kTypeNames[static_cast<int>(type)], shape.model, begin, end, median(rate) * 1e-9,
                100.0 * median(share), is_f32 ? "f32" : "bf16");
  }

  const KernelTable& table;
  std::string_view only;
  HugeBuffer scratch;
  std::vector<float> q;
  std::vector<float> out;
};

int run(int argc, char** argv) {
  const auto level = argc > 1 ? choose_level(argv[1]) : choose_level();
  if (!level.ok()) {
    std::fprintf(stderr, "%s\n", level.error().message.c_str());
    return 1;
  }
  std::printf("level %s, one thread, medians of %d\n", std::string(name(*level)).c_str(), kRepeats);
  Bench bench(*level);
  if (argc > 2) bench.only = argv[2];
  for (const Shape& shape : kShapes) {
    bench.decode(KvType::kBf16, shape, 2048, false);
    bench.decode(KvType::kBf16, shape, 2048, true);
    bench.prefill(KvType::kBf16, shape, 0, 512);
    bench.prefill(KvType::kBf16, shape, 3584, 4096);
  }
  for (const KvType type : {KvType::kF16, KvType::kF32, KvType::kInt8}) {
    for (const Shape& shape : {kShapes[0], kShapes[2]}) {
      bench.decode(type, shape, 2048, false);
      bench.decode(type, shape, 2048, true);
      bench.prefill(type, shape, 0, 512);
      bench.prefill(type, shape, 3584, 4096);
    }
  }
  return 0;
}

}  // namespace
}  // namespace forge::kernels::cpu

int main(int argc, char** argv) { return forge::kernels::cpu::run(argc, argv); }
