// Sequences for tests of attention: random rows of QKV products, a paged cache whose blocks lie in
// random order, and the kernels run on them.
#pragma once

#include <random>
#include <vector>

#include "forge/kernels/cuda/attention/attention.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/packed_values.h"

namespace forge::kernels::cuda {

struct BatchOptions {
  HeadShape heads = {.n_heads = 4, .n_kv_heads = 2, .head_dim = 64};
  KvType type = KvType::kPlain;
  ProductType product_type = ProductType::kBf16;
  std::vector<int32_t> kv_lens = {100};
  int32_t rotary_dim = 64;
  bool turns_pairs = false;
  bool has_norms = false;
  bool has_long = false;
  int32_t window = 0;
  /// One number of the QKV rows.
  struct Huge {
    int32_t row = -1;  // none
    int32_t column = 0;
    float value = 0.0f;
  } huge = {};
};

/// Every position of every sequence has a row of qkv; row first_row(s) + p is position p of s.
class AttentionBatch {
 public:
  AttentionBatch(OnDevice& device, const BatchOptions& options);

  [[nodiscard]] int32_t first_row(size_t sequence) const { return first_rows_[sequence]; }
  [[nodiscard]] int32_t n_rows() const { return first_rows_.back(); }
  [[nodiscard]] int32_t padded() const { return padded_head_dim(options_.heads.head_dim); }
  [[nodiscard]] const std::vector<float>& qkv() const { return qkv_; }
  [[nodiscard]] const std::vector<float>& angles(bool is_long) const {
    return is_long ? long_angles_ : angles_;
  }
  [[nodiscard]] const std::vector<float>& norm(bool is_key) const {
    return is_key ? k_norm_ : q_norm_;
  }
  [[nodiscard]] bool is_long(int32_t row) const { return is_long_[static_cast<size_t>(row)] != 0; }

  /// The cache as after start: zeros.
  void clear_cache();
  /// Appends positions [begin, end) of a sequence.
  void append(size_t sequence, int32_t begin, int32_t end);
  void append_all();
  /// Takes the first blocks out of a sequence's table.
  void forget_blocks(size_t sequence, int32_t n);

  struct Entry {
    size_t sequence = 0;
    int32_t begin = 0;  // positions
    int32_t end = 0;
  };
  struct Bounds {
    int32_t more_sequences = 0;  // empty entries beside the real ones
    int32_t more_rows = 0;
    int32_t more_kv_len = 0;
    bool is_fused = false;
  };
  /// Attention of some rows; out (n_rows, n_heads * head_dim), unwritten() where nothing
  /// was written.
  [[nodiscard]] std::vector<uint32_t> attend(const std::vector<Entry>& entries, Bounds bounds);
  [[nodiscard]] std::vector<uint32_t> attend(const std::vector<Entry>& entries) {
    return attend(entries, Bounds{});
  }

  [[nodiscard]] std::vector<uint32_t> queries() {
    return from_elements(device_.download(q_), options_.product_type);
  }
  [[nodiscard]] std::vector<uint8_t> keys() { return device_.download(keys_); }
  [[nodiscard]] std::vector<uint8_t> values() { return device_.download(values_); }
  /// The number at (position, dimension) in downloaded keys or values.
  [[nodiscard]] double cached(const std::vector<uint8_t>& plane, bool is_key, size_t sequence,
                              int32_t position, int32_t kv_head, int32_t d) const;
  [[nodiscard]] float scale_of(const std::vector<uint8_t>& plane, size_t sequence, int32_t position,
                               int32_t kv_head) const;

 private:
  [[nodiscard]] size_t head_block(size_t sequence, int32_t position, int32_t kv_head) const;
  [[nodiscard]] QkvRows rows() const;
  [[nodiscard]] KvLayer layer() const;

  OnDevice& device_;
  BatchOptions options_;
  std::vector<int32_t> first_rows_;
  std::vector<int32_t> first_blocks_;
  std::vector<int32_t> tables_;
  std::vector<float> qkv_;
  std::vector<float> angles_;
  std::vector<float> long_angles_;
  std::vector<float> q_norm_;
  std::vector<float> k_norm_;
  std::vector<uint8_t> is_long_;
  DeviceArray<float> qkv_there_;
  DeviceArray<float> angles_there_;
  DeviceArray<float> long_angles_there_;
  DeviceArray<float> q_norm_there_;
  DeviceArray<float> k_norm_there_;
  DeviceArray<uint8_t> is_long_there_;
  DeviceArray<int32_t> tables_there_;
  DeviceArray<std::byte> q_;
  DeviceArray<uint8_t> keys_;
  DeviceArray<uint8_t> values_;
};

/// e4m3 bits as a number, from the format's definition.
[[nodiscard]] double e4m3_number(uint32_t bits);

}  // namespace forge::kernels::cuda
