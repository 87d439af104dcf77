#include "tests/cuda/attention_batch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace forge::kernels::cuda {
namespace {

constexpr float kScale = 0.125f;

std::vector<float> normals(size_t n, float size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0.0f, size);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<float> qkv_rows(const BatchOptions& options, size_t n_rows) {
  const size_t width = static_cast<size_t>((options.heads.n_heads + 2 * options.heads.n_kv_heads) *
                                           options.heads.head_dim);
  std::vector<float> qkv = normals(n_rows * width, 1.0f, 1);
  if (options.huge.row >= 0) {
    qkv[static_cast<size_t>(options.huge.row) * width + static_cast<size_t>(options.huge.column)] =
        options.huge.value;
  }
  return qkv;
}

std::vector<float> turns(int32_t n_positions, int32_t rotary_dim, double base) {
  std::vector<float> angles;
  for (int32_t position = 0; position < n_positions; ++position) {
    for (int32_t i = 0; i < rotary_dim / 2; ++i) {
      const double angle = position * std::pow(base, -2.0 * i / rotary_dim);
      angles.push_back(static_cast<float>(std::cos(angle)));
      angles.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return angles;
}

std::vector<int32_t> starts_of(const std::vector<int32_t>& lengths, int32_t unit) {
  std::vector<int32_t> starts = {0};
  for (const int32_t length : lengths) starts.push_back(starts.back() + (length + unit - 1) / unit);
  return starts;
}

std::vector<int32_t> shuffled_blocks(int32_t n) {
  std::vector<int32_t> blocks(static_cast<size_t>(n));
  std::iota(blocks.begin(), blocks.end(), 1);  // block 0 is nobody's
  std::shuffle(blocks.begin(), blocks.end(), std::mt19937_64(11));
  return blocks;
}

size_t size_of(int64_t n) { return static_cast<size_t>(n); }

}  // namespace

double e4m3_number(uint32_t bits) {
  const double sign = (bits & 0x80u) != 0 ? -1.0 : 1.0;
  const auto exponent = static_cast<int>(bits >> 3 & 15u);
  const double fraction = static_cast<double>(bits & 7u) / 8.0;
  if ((bits & 0x7Fu) == 0x7Fu) return NAN;
  return sign *
         (exponent == 0 ? std::ldexp(fraction, -6) : std::ldexp(1.0 + fraction, exponent - 7));
}

AttentionBatch::AttentionBatch(OnDevice& device, const BatchOptions& options)
    : device_(device),
      options_(options),
      first_rows_(starts_of(options.kv_lens, 1)),
      first_blocks_(starts_of(options.kv_lens, kKvBlock)),
      tables_(shuffled_blocks(first_blocks_.back())),
      qkv_(qkv_rows(options, size_of(n_rows()))),
      angles_(turns(*std::max_element(options.kv_lens.begin(), options.kv_lens.end()),
                    options.rotary_dim, 1e4)),
      long_angles_(turns(*std::max_element(options.kv_lens.begin(), options.kv_lens.end()),
                         options.rotary_dim, 5e5)),
      q_norm_(normals(size_of(options.heads.head_dim), 1.0f, 2)),
      k_norm_(normals(size_of(options.heads.head_dim), 1.0f, 3)),
      is_long_(size_of(n_rows()), 0),
      qkv_there_(device.upload(qkv_)),
      angles_there_(device.upload(angles_)),
      long_angles_there_(device.upload(long_angles_)),
      q_norm_there_(device.upload(q_norm_)),
      k_norm_there_(device.upload(k_norm_)),
      is_long_there_(device.upload(is_long_)),
      tables_there_(device.upload(tables_)),
      q_(device.array<std::byte>(size_of(n_rows() * options.heads.n_heads) * size_of(padded()) *
                                 size_of(element_bytes(options.product_type)))),
      keys_(device.array<uint8_t>(size_of((first_blocks_.back() + 1) * layer().block_bytes))),
      values_(device.array<uint8_t>(keys_.size())) {
  if (options.has_long) {
    for (size_t s = 0; s < options.kv_lens.size(); ++s) {
      for (int32_t row = first_rows_[s]; row < first_rows_[s + 1]; ++row) {
        is_long_[size_of(row)] = s % 2 == 1 ? 1 : 0;
      }
    }
    is_long_there_ = device.upload(is_long_);
  }
  clear_cache();
}

void AttentionBatch::clear_cache() {
  OnDevice::require(device_.stream().fill(keys_.data(), 0, static_cast<int64_t>(keys_.size())));
  OnDevice::require(device_.stream().fill(values_.data(), 0, static_cast<int64_t>(keys_.size())));
}

QkvRows AttentionBatch::rows() const {
  return {.qkv = qkv_there_.data(),
          .stride = (options_.heads.n_heads + 2 * options_.heads.n_kv_heads) *
                    int64_t{options_.heads.head_dim},
          .q_norm = options_.has_norms ? q_norm_there_.data() : nullptr,
          .k_norm = options_.has_norms ? k_norm_there_.data() : nullptr,
          .norm_eps = 1e-6f,
          .rotary_dim = options_.rotary_dim,
          .turns_pairs = options_.turns_pairs,
          .angles = angles_there_.data(),
          .long_angles = options_.has_long ? long_angles_there_.data() : nullptr,
          .is_long = options_.has_long ? is_long_there_.data() : nullptr};
}

KvLayer AttentionBatch::layer() const {
  return {.type = options_.type,
          .keys = reinterpret_cast<std::byte*>(keys_.data()),
          .values = reinterpret_cast<std::byte*>(values_.data()),
          .block_bytes = kv_block_bytes(options_.type, options_.product_type,
                                        options_.heads.n_kv_heads, options_.heads.head_dim),
          .product_type = options_.product_type};
}

void AttentionBatch::append(size_t sequence, int32_t begin, int32_t end) {
  // The row after the last one is not there.
  const int32_t n_tokens = end - begin + (first_rows_[sequence] + end < n_rows() ? 1 : 0);
  if (n_tokens == 0) return;
  std::vector<int32_t> positions(size_of(n_tokens), -1);
  std::iota(positions.begin(), positions.begin() + (end - begin), begin);
  positions.push_back(end);  // beyond n_tokens
  const auto positions_there = device_.upload(positions);
  const auto first_blocks_there =
      device_.upload(std::vector<int32_t>(positions.size(), first_blocks_[sequence]));
  const int32_t first = first_rows_[sequence] + begin;
  QkvRows from = rows();
  from.qkv += first * from.stride;
  if (from.is_long != nullptr) from.is_long += first;
  const RopeAppendTask task{.heads = options_.heads,
                            .rows = from,
                            .n_tokens = n_tokens,
                            .positions = positions_there.data(),
                            .first_blocks = first_blocks_there.data(),
                            .block_tables = tables_there_.data(),
                            .kv = layer(),
                            .q = q_.data() + int64_t{first} * options_.heads.n_heads * padded() *
                                                 element_bytes(options_.product_type)};
  OnDevice::require(rope_append(device_.stream(), device_.info(), task));
  OnDevice::require(device_.stream().synchronize());
}

void AttentionBatch::append_all() {
  for (size_t s = 0; s < options_.kv_lens.size(); ++s) append(s, 0, options_.kv_lens[s]);
}

void AttentionBatch::forget_blocks(size_t sequence, int32_t n) {
  std::fill_n(tables_.begin() + first_blocks_[sequence], n, 1 << 28);
  tables_there_ = device_.upload(tables_);
}

std::vector<uint32_t> AttentionBatch::attend(const std::vector<Entry>& entries, Bounds bounds) {
  std::vector<AttentionRows> sequences;
  int32_t max_rows = 0;
  int32_t max_kv_len = 0;
  for (const Entry& entry : entries) {
    const int32_t first = first_rows_[entry.sequence];
    sequences.push_back({.row_begin = first + entry.begin,
                         .row_end = first + entry.end,
                         .kv_len = entry.end,
                         .first_block = first_blocks_[entry.sequence]});
    max_rows = std::max(max_rows, entry.end - entry.begin);
    max_kv_len = std::max(max_kv_len, entry.end);
  }
  sequences.resize(sequences.size() + size_of(bounds.more_sequences), {5, 5, 0, 1 << 28});
  const auto sequences_there = device_.upload(sequences);
  const int64_t width = options_.heads.n_heads * int64_t{options_.heads.head_dim};
  const auto out =
      device_.array<std::byte>(size_of(n_rows() * width * element_bytes(options_.product_type)));
  AttentionTask task{.heads = options_.heads,
                     .q = bounds.is_fused ? nullptr : q_.data(),
                     .rows = rows(),
                     .kv = layer(),
                     .sequences = sequences_there.data(),
                     .block_tables = tables_there_.data(),
                     .n_sequences = static_cast<int32_t>(sequences.size()),
                     .max_rows = max_rows + bounds.more_rows,
                     .max_kv_len = max_kv_len + bounds.more_kv_len,
                     .window = options_.window,
                     .scale = kScale,
                     .out = out.data(),
                     .out_stride = width};
  task.workspace = attention_workspace(task);
  const auto partials = device_.array<float>(size_of(task.workspace.n_partials));
  const auto counters = device_.upload(std::vector<int32_t>(size_of(task.workspace.n_counters), 0));
  task.workspace.partials = partials.data();
  task.workspace.counters = counters.data();
  OnDevice::require(attention(device_.stream(), device_.info(), task));
  for (const int32_t count : device_.download(counters)) EXPECT_EQ(count, 0);
  return from_elements(device_.download(out), options_.product_type);
}

size_t AttentionBatch::head_block(size_t sequence, int32_t position, int32_t kv_head) const {
  const int32_t block = tables_[size_of(first_blocks_[sequence] + position / kKvBlock)];
  return size_of(block * layer().block_bytes +
                 kv_head * kv_head_block_bytes(options_.type, options_.product_type, padded()));
}

double AttentionBatch::cached(const std::vector<uint8_t>& plane, bool is_key, size_t sequence,
                              int32_t position, int32_t kv_head, int32_t d) const {
  const uint8_t* from = plane.data() + head_block(sequence, position, kv_head);
  const int32_t slot = position % kKvBlock;
  if (options_.type == KvType::kPlain) {
    const int32_t at = is_key ? slot * padded() + d : d * kKvBlock + slot;
    const int32_t size = element_bytes(options_.product_type);
    uint32_t bits = 0;
    std::memcpy(&bits, from + at * size, size_of(size));
    return half_number(bits, options_.product_type);
  }
  // 0, 2, 1, 3 of four neighbours.
  const auto place = [](int32_t i) { return i % 4 == 1 ? i + 1 : i % 4 == 2 ? i - 1 : i; };
  const uint8_t code = from[is_key ? slot * padded() + place(d) : d * kKvBlock + place(slot)];
  const double number = options_.type == KvType::kFp8 ? e4m3_number(code) : code - 128.0;
  return number * static_cast<double>(scale_of(plane, sequence, position, kv_head));
}

float AttentionBatch::scale_of(const std::vector<uint8_t>& plane, size_t sequence, int32_t position,
                               int32_t kv_head) const {
  float scale = 0.0f;
  std::memcpy(&scale,
              plane.data() + head_block(sequence, position, kv_head) +
                  size_of(kKvBlock * padded() + position % kKvBlock * 4),
              sizeof(scale));
  return scale;
}

}  // namespace forge::kernels::cuda
