// Trusts the type table of the GGUF specification and ggml.h, copied here by hand.
#include "forge/tensor/dtype.h"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <set>
#include <string>

namespace forge {
namespace {

TEST(DType, TableAsInGguf) {
  struct Row {
    DType dtype;
    const char* name;
    uint32_t id;
    int len;
    int bytes;
  };
  const Row rows[] = {
      {DType::kF32, "F32", 0, 1, 4},          {DType::kF16, "F16", 1, 1, 2},
      {DType::kBF16, "BF16", 30, 1, 2},       {DType::kQ4_0, "Q4_0", 2, 32, 18},
      {DType::kQ4_1, "Q4_1", 3, 32, 20},      {DType::kQ5_0, "Q5_0", 6, 32, 22},
      {DType::kQ5_1, "Q5_1", 7, 32, 24},      {DType::kQ8_0, "Q8_0", 8, 32, 34},
      {DType::kQ2_K, "Q2_K", 10, 256, 84},    {DType::kQ3_K, "Q3_K", 11, 256, 110},
      {DType::kQ4_K, "Q4_K", 12, 256, 144},   {DType::kQ5_K, "Q5_K", 13, 256, 176},
      {DType::kQ6_K, "Q6_K", 14, 256, 210},   {DType::kQ8_K, "Q8_K", 15, 256, 292},
      {DType::kIQ4_NL, "IQ4_NL", 20, 32, 18}, {DType::kIQ4_XS, "IQ4_XS", 23, 256, 136},
      {DType::kMXFP4, "MXFP4", 39, 32, 17},
  };
  ASSERT_EQ(std::size(rows), all_dtypes().size());
  for (const Row& row : rows) {
    const DTypeInfo& type = info(row.dtype);
    EXPECT_EQ(type.dtype, row.dtype);
    EXPECT_EQ(type.name, row.name);
    EXPECT_EQ(type.ggml_id, row.id) << row.name;
    EXPECT_EQ(type.block_len, row.len) << row.name;
    EXPECT_EQ(type.block_bytes, row.bytes) << row.name;
  }
}

TEST(DType, NamesIgnoreCaseAndNothingElse) {
  for (const DTypeInfo& type : all_dtypes()) {
    std::string lower(type.name);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_EQ(dtype_from_name(type.name), type.dtype);
    EXPECT_EQ(dtype_from_name(lower), type.dtype);
    EXPECT_EQ(dtype_from_name(lower + " "), std::nullopt);
    EXPECT_EQ(dtype_from_name("x" + lower), std::nullopt);
  }
  EXPECT_EQ(dtype_from_name(""), std::nullopt);
  EXPECT_EQ(dtype_from_name("Q4-K"), std::nullopt);
}

TEST(DType, GgmlNumbers) {
  std::set<uint32_t> ids;
  for (const DTypeInfo& type : all_dtypes()) {
    EXPECT_TRUE(ids.insert(type.ggml_id).second) << type.name;
    EXPECT_EQ(dtype_from_ggml_id(type.ggml_id), type.dtype);
    EXPECT_EQ(ggml_type_name(type.ggml_id), type.name);
  }
  for (uint32_t id = 0; id < 64; ++id) {
    EXPECT_EQ(dtype_from_ggml_id(id).has_value(), ids.contains(id)) << id;
  }
  EXPECT_EQ(ggml_type_name(16), "IQ2_XXS");
  EXPECT_EQ(ggml_type_name(28), "F64");
  EXPECT_EQ(ggml_type_name(40), "NVFP4");
  for (uint32_t id = 0; id <= 42; ++id) EXPECT_NE(ggml_type_name(id), "") << id;
  EXPECT_EQ(ggml_type_name(43), "");
  EXPECT_EQ(ggml_type_name(1000), "");
  EXPECT_EQ(ggml_type_name(std::numeric_limits<uint32_t>::max()), "");
  EXPECT_EQ(dtype_from_ggml_id(std::numeric_limits<uint32_t>::max()), std::nullopt);
}

TEST(RowBytes, WholeBlocksOnly) {
  EXPECT_EQ(row_bytes(DType::kQ4_K, 256), 144);
  EXPECT_EQ(row_bytes(DType::kQ4_K, 4096), 2304);
  EXPECT_EQ(row_bytes(DType::kF32, 7), 28);
  for (const DTypeInfo& type : all_dtypes()) {
    EXPECT_EQ(row_bytes(type.dtype, 0), 0);
    EXPECT_EQ(row_bytes(type.dtype, -type.block_len), std::nullopt);
    EXPECT_EQ(row_bytes(type.dtype, std::numeric_limits<int64_t>::min()), std::nullopt);
    if (type.block_len == 1) continue;
    EXPECT_EQ(row_bytes(type.dtype, type.block_len - 1), std::nullopt) << type.name;
    EXPECT_EQ(row_bytes(type.dtype, type.block_len + 1), std::nullopt) << type.name;
  }
}

TEST(RowBytes, OverflowIsNothing) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(row_bytes(DType::kF32, kMax / 4), kMax / 4 * 4);
  EXPECT_EQ(row_bytes(DType::kF32, kMax / 4 + 1), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kF32, kMax), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kQ8_0, kMax - kMax % 32), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kQ4_0, kMax - kMax % 32), (kMax / 32) * 18);
}

TEST(DTypeDeathTest, NumberOutsideTheEnum) {
  EXPECT_DEATH((void)info(static_cast<DType>(200)), "dtype 200");
}

}  // namespace
}  // namespace forge
