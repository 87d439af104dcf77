#include "forge/tensor/dtype.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "forge/base/bytes.h"
#include "forge/base/check.h"
#include "forge/tensor/blocks.h"

namespace forge {
namespace {

constexpr std::array<DTypeInfo, 17> kTypes{{
    {DType::kF32, "F32", 0, 1, 4},
    {DType::kF16, "F16", 1, 1, 2},
    {DType::kBF16, "BF16", 30, 1, 2},
    {DType::kQ4_0, "Q4_0", 2, 32, 18},
    {DType::kQ4_1, "Q4_1", 3, 32, 20},
    {DType::kQ5_0, "Q5_0", 6, 32, 22},
    {DType::kQ5_1, "Q5_1", 7, 32, 24},
    {DType::kQ8_0, "Q8_0", 8, 32, 34},
    {DType::kQ2_K, "Q2_K", 10, 256, 84},
    {DType::kQ3_K, "Q3_K", 11, 256, 110},
    {DType::kQ4_K, "Q4_K", 12, 256, 144},
    {DType::kQ5_K, "Q5_K", 13, 256, 176},
    {DType::kQ6_K, "Q6_K", 14, 256, 210},
    {DType::kQ8_K, "Q8_K", 15, 256, 292},
    {DType::kIQ4_NL, "IQ4_NL", 20, 32, 18},
    {DType::kIQ4_XS, "IQ4_XS", 23, 256, 136},
    {DType::kMXFP4, "MXFP4", 39, 32, 17},
}};

// The table and the structs of tensor/blocks.h describe the same bytes.
template <typename... Blocks>
constexpr bool table_matches() {
  return ((kTypes[static_cast<size_t>(Blocks::kDType)].block_len == Blocks::kLen &&
           kTypes[static_cast<size_t>(Blocks::kDType)].block_bytes == sizeof(Blocks)) &&
          ...);
}
static_assert(table_matches<BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0, BlockQ2_K,
                            BlockQ3_K, BlockQ4_K, BlockQ5_K, BlockQ6_K, BlockQ8_K, BlockIQ4_NL,
                            BlockIQ4_XS, BlockMXFP4>());

// Numbers that ggml has and Forge does not read.
constexpr std::array<std::pair<uint32_t, std::string_view>, 26> kForeignTypes{{
    {9, "Q8_1"},
    {16, "IQ2_XXS"},
    {17, "IQ2_XS"},
    {18, "IQ3_XXS"},
    {19, "IQ1_S"},
    {21, "IQ3_S"},
    {22, "IQ2_S"},
    {24, "I8"},
    {25, "I16"},
    {26, "I32"},
    {27, "I64"},
    {28, "F64"},
    {29, "IQ1_M"},
    {34, "TQ1_0"},
    {35, "TQ2_0"},
    {40, "NVFP4"},
    {41, "Q1_0"},
    {42, "Q2_0"},
    {4, "Q4_2 (removed from ggml)"},
    {5, "Q4_3 (removed from ggml)"},
    {31, "Q4_0_4_4 (removed from ggml)"},
    {32, "Q4_0_4_8 (removed from ggml)"},
    {33, "Q4_0_8_8 (removed from ggml)"},
    {36, "IQ4_NL_4_4 (removed from ggml)"},
    {37, "IQ4_NL_4_8 (removed from ggml)"},
    {38, "IQ4_NL_8_8 (removed from ggml)"},
}};

}  // namespace

const DTypeInfo& info(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  FORGE_CHECK(index < kTypes.size() && kTypes[index].dtype == dtype, "dtype {}", index);
  return kTypes[index];
}

std::span<const DTypeInfo> all_dtypes() { return kTypes; }

std::optional<DType> dtype_from_name(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) ==
           std::toupper(static_cast<unsigned char>(b));
  };
  for (const DTypeInfo& type : kTypes) {
    if (std::ranges::equal(type.name, name, same)) return type.dtype;
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_ggml_id(uint32_t id) {
  for (const DTypeInfo& type : kTypes) {
    if (type.ggml_id == id) return type.dtype;
  }
  return std::nullopt;
}

std::string_view ggml_type_name(uint32_t id) {
  if (const auto dtype = dtype_from_ggml_id(id)) return name(*dtype);
  for (const auto& [number, name] : kForeignTypes) {
    if (number == id) return name;
  }
  return {};
}

std::optional<int64_t> row_bytes(DType dtype, int64_t n) {
  const DTypeInfo& type = info(dtype);
  if (n < 0 || n % type.block_len != 0) return std::nullopt;
  const auto bytes = checked_mul(static_cast<uint64_t>(n / type.block_len),
                                 static_cast<uint64_t>(type.block_bytes));
  if (!bytes || *bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*bytes);
}

}  // namespace forge
