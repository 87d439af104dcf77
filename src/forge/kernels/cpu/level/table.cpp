// Compiled once per ISA level: the level's table.
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

extern const KernelTable kTable;
const KernelTable kTable = {
    // In the order of DType.
    .matmul = {matmul<DType::kF32>, matmul<DType::kF16>, matmul<DType::kBF16>, matmul<DType::kQ4_0>,
               matmul<DType::kQ4_1>, matmul<DType::kQ5_0>, matmul<DType::kQ5_1>,
               matmul<DType::kQ8_0>, matmul<DType::kQ2_K>, matmul<DType::kQ3_K>,
               matmul<DType::kQ4_K>, matmul<DType::kQ5_K>, matmul<DType::kQ6_K>,
               matmul<DType::kQ8_K>, matmul<DType::kIQ4_NL>, matmul<DType::kIQ4_XS>,
               matmul<DType::kMXFP4>},
    .int8_width = int8_width,
    .quantize_int8 = quantize_int8,
    .round_to_bf16 = round_to_bf16,
    .rms_norm = rms_norm,
    .add_to = add_to,
    .rope_halves = rope_halves,
    .rope_pairs = rope_pairs,
    .gated_silu = gated_silu,
    .gated_gelu_tanh = gated_gelu_tanh,
    .panel_max = panel_max,
    .peak_int8 = peak_int8,
    .peak_bf16 = peak_bf16,
    .peak_f32 = peak_f32,
    .exp = exp_row,
    .exp2 = exp2_row,
    // In the order of KvType.
    .kv_append = {kv_append_bf16, kv_append_f16, kv_append_f32, kv_append_int8},
    .attention = {attention_bf16, attention_f16, attention_f32, attention_int8},
    .attention_merge = attention_merge,
};
static_assert(kKvTypeCount == static_cast<int>(KvType::kInt8) + 1);
static_assert(kDTypeCount == static_cast<int>(DType::kMXFP4) + 1);

}  // namespace forge::kernels::cpu::FORGE_LEVEL
