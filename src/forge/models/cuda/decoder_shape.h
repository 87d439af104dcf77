// The sizes of a decoder on a device: strides, and the largest step.
#pragma once

#include <cstdint>

#include "forge/kernels/cuda/attention/kv_cache.h"
#include "forge/models/decoder.h"

namespace forge::models::cuda {

struct DecoderShape {
  DecoderShape() = default;
  DecoderShape(const ModelSpec& spec, const DecoderOptions& options);

  // The largest step.
  int32_t n_tokens = 0;
  int32_t n_logit_rows = 0;
  int32_t n_sequences = 0;
  int32_t n_samples = 0;  // tokens that a step may choose
  int32_t n_slots = 0;    // sequences whose last token is kept
  int32_t history = 0;    // different tokens that may be kept of a slot, for penalties
  int32_t blocks_per_sequence = 0;

  int32_t vocab_size = 0;
  int32_t max_kv_len = 0;

  // Elements from one row to the next. Rows in the type of products, of element_bytes each, are
  // whole steps of a product; what lies beyond the real columns is zero.
  int32_t element_bytes = 2;
  int64_t hidden = 0;    // f32
  int64_t x = 0;         // products: hidden_dim
  int64_t qkv = 0;       // f32
  int64_t attended = 0;  // products: n_heads * head_dim
  int64_t mid = 0;       // products: ffn_dim
  int64_t logits = 0;    // f32
  int64_t q = 0;         // products: n_heads * padded head_dim

  int64_t hidden_tiles = 0;  // of 16 columns
  int64_t logit_tiles = 0;

  // The cache: (2 n_layers) planes of keys, then values, of each layer.
  int64_t kv_block_bytes = 0;
  int64_t kv_plane_bytes = 0;
  [[nodiscard]] int64_t kv_bytes(int32_t n_layers) const { return 2 * n_layers * kv_plane_bytes; }
};

}  // namespace forge::models::cuda
