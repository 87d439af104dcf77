// The functions of a level that its table points to, each in one of the level's .cpp files.
#pragma once

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

// matmul_float.cpp, matmul_simple.cpp, matmul_k.cpp
template <DType kType>
void matmul(const MatmulTask& task);

// rows.cpp; KernelTable says what each does.
int32_t int8_width(int32_t n_tokens);
void quantize_int8(const float* x, int64_t n, const Int8Rows& out, int64_t row, int64_t begin);
void round_to_bf16(const float* x, int64_t n, uint16_t* y);
void rms_norm(const float* x, const float* weight, int64_t n, float eps, float* y);
void add_to(const float* x, int64_t n, float* y);
void rope_halves(float* head, const float* cosines, const float* sines, int64_t n_pairs);
void rope_pairs(float* head, const float* cosines, const float* sines, int64_t n_pairs);
void gated_silu(const float* gate, const float* up, int64_t n, float* y);
void gated_gelu_tanh(const float* gate, const float* up, int64_t n, float* y);
float panel_max(const float* x, int64_t n);

// peak.cpp
double peak_int8(int64_t rounds);
double peak_bf16(int64_t rounds);
double peak_f32(int64_t rounds);

// exp.cpp
void exp_row(const float* x, int64_t n, float* y);
void exp2_row(const float* x, int64_t n, float* y);

// kv_append.cpp
void kv_append_bf16(const KvAppendTask& task);
void kv_append_f16(const KvAppendTask& task);
void kv_append_f32(const KvAppendTask& task);
void kv_append_int8(const KvAppendTask& task);

// attention.cpp
void attention_bf16(const AttentionItem& item);
void attention_f16(const AttentionItem& item);
void attention_f32(const AttentionItem& item);
void attention_int8(const AttentionItem& item);
void attention_merge(const AttentionMerge& task);

}  // namespace forge::kernels::cpu::FORGE_LEVEL
