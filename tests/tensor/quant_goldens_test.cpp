// Trusts ggml's reference encoders and decoders, through the recorded goldens: decoding is bit for
// bit, search-free encoding byte for byte, searched encoding no worse in squared error.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>

#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"
#include "tests/tensor/quant_goldens.h"
#include "tests/test_data.h"

namespace forge {
namespace {

double rmse(const std::vector<float>& a, const std::vector<float>& b, size_t begin, size_t end) {
  double sum = 0.0;
  for (size_t i = begin; i < end; ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(sum / static_cast<double>(end - begin));
}

std::vector<float> encoded_and_decoded(DType dtype, const std::vector<float>& values) {
  const auto n = static_cast<int64_t>(values.size());
  std::vector<std::byte> blocks(static_cast<size_t>(row_bytes(dtype, n).value()));
  encode(dtype, values.data(), n, blocks.data());
  std::vector<float> out(values.size());
  decode(dtype, blocks.data(), n, out.data());
  return out;
}

TEST(QuantGoldens, DecodeBitForBit) {
  FORGE_REQUIRE_DATA(folder, "quant_goldens");
  const QuantGoldens goldens = load_quant_goldens(folder);
  std::set<DType> seen;
  for (const QuantGolden& golden : goldens.entries) {
    SCOPED_TRACE(fmt::format("{} {}", name(golden.dtype), golden.variant));
    const auto n = static_cast<int64_t>(golden.values.size());
    ASSERT_EQ(n, goldens.rows * goldens.columns);
    ASSERT_EQ(row_bytes(golden.dtype, n), static_cast<int64_t>(golden.blocks.size()));
    // One byte off any alignment, in an allocation that ends with the data.
    std::vector<std::byte> shifted(golden.blocks.size() + 1);
    std::memcpy(shifted.data() + 1, golden.blocks.data(), golden.blocks.size());
    std::vector<float> values(golden.values.size(), NAN);
    decode(golden.dtype, shifted.data() + 1, n, values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(golden.values[i]))
          << "element " << i << ": " << values[i] << ", ggml " << golden.values[i];
    }
    seen.insert(golden.dtype);
  }
  EXPECT_EQ(seen.size(), all_dtypes().size() - 1) << "every type but F32 has goldens";
}

TEST(QuantGoldens, DecodeRowOfAView) {
  FORGE_REQUIRE_DATA(folder, "quant_goldens");
  const QuantGoldens goldens = load_quant_goldens(folder);
  for (const QuantGolden& golden : goldens.entries) {
    const TensorView view{.dtype = golden.dtype,
                          .shape = {goldens.rows, goldens.columns},
                          .data = golden.blocks.data()};
    std::vector<float> row(static_cast<size_t>(goldens.columns));
    decode_row(view, goldens.rows - 1, row.data());
    EXPECT_EQ(0, std::memcmp(row.data(), &golden.values[golden.values.size() - row.size()],
                             row.size() * sizeof(float)))
        << name(golden.dtype) << " " << golden.variant;
  }
}

TEST(QuantGoldens, SearchFreeEncodersByteForByte) {
  FORGE_REQUIRE_DATA(folder, "quant_goldens");
  const QuantGoldens goldens = load_quant_goldens(folder);
  const std::set<DType> search_free{DType::kF16,  DType::kBF16, DType::kQ4_0, DType::kQ4_1,
                                    DType::kQ5_0, DType::kQ5_1, DType::kQ8_0, DType::kQ8_K};
  size_t compared = 0;
  for (const QuantGolden& golden : goldens.entries) {
    if (!search_free.contains(golden.dtype)) continue;
    if (golden.variant != "no_importance" && golden.variant != "reference") continue;
    SCOPED_TRACE(name(golden.dtype));
    std::vector<std::byte> blocks(golden.blocks.size() + 1);
    encode(golden.dtype, goldens.input.data(), static_cast<int64_t>(goldens.input.size()),
           blocks.data() + 1);
    for (size_t i = 0; i < golden.blocks.size(); ++i) {
      ASSERT_EQ(blocks[i + 1], golden.blocks[i]) << "byte " << i;
    }
    ++compared;
  }
  EXPECT_EQ(compared, search_free.size());
}

// Every row by itself too: an encoder may not trade an easy row for a hard one. Within a row the
// search-free types are equal, so there the bound is met exactly.
TEST(QuantGoldens, EncodersNoWorseInSquaredError) {
  FORGE_REQUIRE_DATA(folder, "quant_goldens");
  const QuantGoldens goldens = load_quant_goldens(folder);
  const size_t columns = static_cast<size_t>(goldens.columns);
  for (const QuantGolden& golden : goldens.entries) {
    if (golden.variant != "no_importance" && golden.variant != "reference") continue;
    const auto ours = encoded_and_decoded(golden.dtype, goldens.input);
    std::string rows;
    for (size_t begin = 0; begin < ours.size(); begin += columns) {
      const double ours_rmse = rmse(ours, goldens.input, begin, begin + columns);
      const double ggml_rmse = rmse(golden.values, goldens.input, begin, begin + columns);
      EXPECT_LE(ours_rmse, ggml_rmse) << name(golden.dtype) << " row " << begin / columns;
      rows += fmt::format("  {:.3f}", ggml_rmse > 0 ? ours_rmse / ggml_rmse : 1.0);
    }
    const double ours_rmse = rmse(ours, goldens.input, 0, ours.size());
    const double ggml_rmse = rmse(golden.values, goldens.input, 0, ours.size());
    EXPECT_LE(ours_rmse, ggml_rmse) << name(golden.dtype);
    fmt::print("[   rmse   ] {:7} ours {:.6e}  ggml {:.6e}  ratio per row{}\n", name(golden.dtype),
               ours_rmse, ggml_rmse, rows);
  }
}

}  // namespace
}  // namespace forge
