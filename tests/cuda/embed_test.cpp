// Trusts: what a packed value is (packed_values.h), double.
//
// Mutations that were seen: the row's half, its lane, the scale, the norm's weight, the columns'
// end, the sum over the two threads of 16 columns, whose chosen token it is, TF32's rounding.
#include "forge/kernels/cuda/embed/embed.h"

#include "tests/cuda/orders.h"
#include "tests/cuda/packed_on_device.h"
#include "tests/cuda/packed_values.h"
#include "tests/kernels/random_blocks.h"

namespace forge::kernels::cuda {
namespace {

constexpr int64_t kStrideBeyond = 8;

/// By what row_scale.h says of 16 columns with this sum of squares.
float tile_scale(float squares, ProductType product_type) {
  if (product_type != ProductType::kF16) return 1.0f;
  const int exponent = static_cast<int>(std::floor(std::ilogb(squares) / 2.0)) + 1;
  return std::ldexp(1.0f, 6 - exponent);
}

void expect_rows(DType dtype, int32_t hidden_dim, float scale,
                 ProductType product_type = ProductType::kBf16) {
  OnDevice device;
  const RandomMatrix table(dtype, 50, hidden_dim, BlockContent::kRandom, 3);
  const PackedOnDevice packed = packed_on(device, table.view(), weight_kind(dtype), product_type);
  const std::vector<int32_t> tokens{0, 49, 7, 8, 17, 31, 0};
  std::vector<int32_t> given = tokens;
  given[3] = -1 - 2;
  const auto on_device = device.upload(given);
  const auto chosen = device.upload(std::vector<int32_t>{5, 0, tokens[3]});
  std::vector<float> weights(static_cast<size_t>(hidden_dim));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = 0.5f + 0.01f * static_cast<float>(i % 90);
  const auto weight = device.upload(weights);
  const int64_t stride = hidden_dim + kStrideBeyond;
  const auto h = device.array<float>(tokens.size() * static_cast<size_t>(stride));
  const auto scaled = device.array<std::byte>(tokens.size() * static_cast<size_t>(stride) *
                                              static_cast<size_t>(element_bytes(product_type)));
  const auto n_tiles = static_cast<size_t>(hidden_dim / 16);
  const auto squares = device.array<float>(tokens.size() * n_tiles);
  OnDevice::require(embed(device.stream(), device.info(),
                          {.table = packed.matrix,
                           .hidden_dim = hidden_dim,
                           .tokens = on_device.data(),
                           .chosen = chosen.data(),
                           .n_tokens = static_cast<int32_t>(tokens.size()),
                           .scale = scale,
                           .h = h.data(),
                           .h_stride = stride,
                           .next = {.weight = weight.data(),
                                    .scaled = scaled.data(),
                                    .stride = stride,
                                    .squares = squares.data()}}));
  const auto got_h = device.download(h);
  const auto got_scaled = from_elements(device.download(scaled), product_type);
  const auto got_squares = device.download(squares);
  for (size_t token = 0; token < tokens.size(); ++token) {
    std::vector<double> sums(n_tiles);
    for (int64_t c = 0; c < stride; ++c) {
      const size_t at = token * static_cast<size_t>(stride) + static_cast<size_t>(c);
      if (c >= hidden_dim) {
        ASSERT_TRUE(std::isnan(got_h[at])) << "beyond the columns";
        ASSERT_EQ(got_scaled[at], unwritten(product_type));
        continue;
      }
      const float value =
          static_cast<float>(
              parts_of(dtype, table.view().row(tokens[token]), c).packed(product_type)) *
          scale;
      ASSERT_EQ(got_h[at], value) << token << " " << c;
      const float of_tile =
          tile_scale(got_squares[token * n_tiles + static_cast<size_t>(c / 16)], product_type);
      const uint32_t want =
          half_bits(value * weights[static_cast<size_t>(c)] * of_tile, product_type);
      ASSERT_EQ(half_number(got_scaled[at], product_type), half_number(want, product_type))
          << token << " " << c;
      sums[static_cast<size_t>(c / 16)] += static_cast<double>(value) * static_cast<double>(value);
    }
    for (size_t tile = 0; tile < n_tiles; ++tile) {
      ASSERT_NEAR(got_squares[token * n_tiles + tile], sums[tile], sums[tile] * 16 * 0x1p-24);
    }
  }
}

TEST(Embed, RowsOfEveryKind) {
  struct Case {
    DType dtype;
    int32_t hidden_dim;
  };
  // 2112 columns are more than a block takes; 32, 48 and 288 end inside of a step.
  const Case cases[] = {{DType::kBF16, 48},  {DType::kBF16, 2112}, {DType::kF16, 288},
                        {DType::kQ8_0, 32},  {DType::kQ4_0, 96},   {DType::kQ4_1, 64},
                        {DType::kQ5_0, 160}, {DType::kQ5_1, 2112}, {DType::kQ6_K, 256}};
  for (const Case& each : cases) {
    SCOPED_TRACE(std::string(name(each.dtype)) + " " + std::to_string(each.hidden_dim));
    in_every_order([&] { expect_rows(each.dtype, each.hidden_dim, 1.0f); });
  }
}

TEST(Embed, InF16) {
  for (const DType dtype : {DType::kF16, DType::kQ8_0, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,
                            DType::kQ5_1, DType::kQ6_K}) {
    SCOPED_TRACE(name(dtype));
    expect_rows(dtype, 256, 1.0f, ProductType::kF16);
  }
}

TEST(Embed, InFourBytes) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      SCOPED_TRACE(name(dtype));
      in_every_order([&] { expect_rows(dtype, 48, 1.0f, product_type); });
    }
    expect_rows(DType::kF32, 2112, 1.0f, product_type);
  }
}

TEST(Embed, ScalesThem) { expect_rows(DType::kBF16, 64, 8.0f / 3.0f); }

}  // namespace
}  // namespace forge::kernels::cuda
