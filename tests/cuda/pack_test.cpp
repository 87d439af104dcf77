// Trusts: the block structs of tensor/, tensor/decode.h, ggml's goldens of the shared data.
//
// Mutations that were seen: where a number's bits lie (low, high), the high bits' mask (two tasks'
// rows share a word), the rows' beginning and end, the columns' end, the second scale of a group,
// rows that are not this task's, each maximum over lanes, the range's end, which side of zero 4
// bits have more of, unpack's first row and last row. Only under AddressSanitizer: unpack's tiles'
// end.
#include "forge/kernels/cuda/weights/pack.h"

#include <fstream>
#include <iterator>

#include "forge/kernels/cuda/weights/layout.h"
#include "tests/cuda/orders.h"
#include "tests/cuda/packed_on_device.h"
#include "tests/cuda/packed_values.h"
#include "tests/kernels/random_blocks.h"
#include "tests/test_data.h"

namespace forge::kernels::cuda {
namespace {

constexpr DType kTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ4_0,
                            DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,
                            DType::kQ4_K, DType::kQ5_K, DType::kQ6_K, DType::kQ8_K};

// As few as make a padded step, where the type's blocks let them.
int64_t columns_of(DType dtype) {
  const int32_t block_len = info(dtype).block_len;
  return block_len == 1 ? 77 : block_len == 32 ? 160 : 512;
}

double value_of(uint16_t bits) { return half_number(bits, ProductType::kBf16); }

// Rows of `values` are the checkpoint's, by their places.
void expect_values(const std::vector<uint16_t>& values, const PackedMatrix& matrix,
                   const TensorView& view, const RowPlace& place) {
  int n_wrong = 0;
  for (int64_t row = 0; row < view.rows() && n_wrong < 5; ++row) {
    const int64_t at = place.packed_of(row) * matrix.columns;
    for (int64_t c = 0; c < matrix.columns && n_wrong < 5; ++c) {
      const double got = half_number(values[static_cast<size_t>(at + c)], matrix.product_type);
      const double want = c < view.columns()
                              ? parts_of(view.dtype, view.row(row), c).packed(matrix.product_type)
                              : 0.0;
      if (got == want) continue;
      ADD_FAILURE() << "row " << row << " column " << c << ": " << got << ", expected " << want;
      ++n_wrong;
    }
  }
}

TEST(Pack, EveryTypeReadsBack) {
  OnDevice device;
  for (const DType dtype : kTypes) {
    SCOPED_TRACE(name(dtype));
    const RandomMatrix random(dtype, 21, columns_of(dtype), BlockContent::kRandom, 7);
    in_every_order([&] {
      const PackedOnDevice packed = packed_on(device, random.view(), weight_kind(dtype));
      const auto values = unpacked(device, packed.matrix, 0, 32);
      expect_values(values, packed.matrix, random.view(), {});
      for (size_t i = 21 * static_cast<size_t>(packed.matrix.columns); i < values.size(); ++i) {
        ASSERT_EQ(value_of(values[i]), 0.0) << i;
      }
    });
  }
}

TEST(Pack, EveryTypeReadsBackInF16) {
  OnDevice device;
  for (const DType dtype : kTypes) {
    SCOPED_TRACE(name(dtype));
    const RandomMatrix random(dtype, 21, columns_of(dtype), BlockContent::kRandom, 7);
    const PackedOnDevice packed =
        packed_on(device, random.view(), weight_kind(dtype), ProductType::kF16);
    expect_values(unpacked(device, packed.matrix, 0, 32), packed.matrix, random.view(), {});
  }
}

// Every f16 that is a number, whole and subnormal, keeps its bits.
TEST(Pack, F16IsExactInF16) {
  OnDevice device;
  std::vector<uint16_t> all;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7C00u) != 0x7C00u) all.push_back(static_cast<uint16_t>(bits));
  }
  ASSERT_EQ(all.size() % 64, 0u);
  const auto n_rows = static_cast<int64_t>(all.size() / 64);
  const TensorView view{.dtype = DType::kF16,
                        .shape = Shape{n_rows, 64},
                        .data = reinterpret_cast<const std::byte*>(all.data())};
  const PackedOnDevice packed = packed_on(device, view, WeightKind::kPlain, ProductType::kF16);
  EXPECT_EQ(unpacked(device, packed.matrix, 0, static_cast<int32_t>(n_rows)), all);
}

// Rows and columns beyond the real ones are zeros.
TEST(Pack, PlainValuesInFourBytes) {
  OnDevice device;
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      SCOPED_TRACE(name(dtype));
      const RandomMatrix random(dtype, 21, 83, BlockContent::kRandom, 7);
      in_every_order([&] {
        const PackedOnDevice packed =
            packed_on(device, random.view(), WeightKind::kPlain, product_type);
        const auto bits = from_elements(device.download(packed.memory), product_type);
        ASSERT_EQ(packed.matrix.row_bytes, 128 * 4);
        ASSERT_GE(bits.size(), 32u * 128u);
        for (int64_t row = 0; row < 32; ++row) {
          for (int64_t column = 0; column < 128; ++column) {
            const bool is_real = row < 21 && column < 83;
            const double value =
                is_real ? parts_of(dtype, random.view().row(row), column).packed(product_type)
                        : 0.0;
            ASSERT_EQ(half_number(bits[static_cast<size_t>(row * 128 + column)], product_type),
                      value);
          }
        }
      });
    }
  }
}

TEST(Pack, BlocksAreNotPackedForProductsInFourBytes) {
  const Status status = check_packing(DType::kQ8_0, WeightKind::kPlain, ProductType::kTf32);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "Q8_0 has no packed form with products in tf32: decode it first");
  EXPECT_FALSE(check_packing(DType::kF32, WeightKind::kInt8, ProductType::kF32).ok());
  EXPECT_TRUE(check_packing(DType::kBF16, WeightKind::kPlain, ProductType::kF32).ok());
}

// Rounding to bf16 moves a value by 2^-8 of it at most: the scale and the min, then their sum.
void expect_near(const std::vector<uint16_t>& values, int64_t stride, DType dtype,
                 const std::byte* data, int64_t rows, int64_t columns, const float* decoded) {
  for (int64_t i = 0; i < rows * columns; ++i) {
    const WeightParts parts =
        parts_of(dtype, data + i / columns * *row_bytes(dtype, columns), i % columns);
    const double size = std::fabs(parts.number * parts.scale) + std::fabs(parts.min);
    const double got = value_of(values[static_cast<size_t>(i / columns * stride + i % columns)]);
    ASSERT_NEAR(got, static_cast<double>(decoded[i]), size * 0x1.01p-7) << i;
  }
}

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(chars.size());
  std::memcpy(bytes.data(), chars.data(), chars.size());
  return bytes;
}

TEST(Pack, BlocksThatGgmlWroteAreNearWhatGgmlReads) {
  OnDevice device;
  for (const char* type :
       {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_K", "q5_K", "q6_K", "bf16"}) {
    SCOPED_TRACE(type);
    FORGE_REQUIRE_DATA(path, std::string("quant_goldens/") + type + ".blocks");
    const std::vector<std::byte> blocks = bytes_of(path);
    const std::vector<std::byte> floats = bytes_of(path.substr(0, path.size() - 6) + "f32");
    const DType dtype = *dtype_from_name(type);
    const TensorView view{.dtype = dtype, .shape = Shape{4, 512}, .data = blocks.data()};
    ASSERT_EQ(static_cast<int64_t>(blocks.size()), 4 * *row_bytes(dtype, 512));
    const PackedOnDevice packed = packed_on(device, view, weight_kind(dtype));
    std::vector<float> decoded(4 * 512);
    std::memcpy(decoded.data(), floats.data(), floats.size());
    expect_near(unpacked(device, packed.matrix, 0, 4), 512, dtype, blocks.data(), 4, 512,
                decoded.data());
  }
}

// Q, K and V below each other, each in parts.
TEST(Pack, StackedInParts) {
  OnDevice device;
  for (const DType dtype : kTypes) {
    SCOPED_TRACE(name(dtype));
    const int64_t columns = columns_of(dtype);
    const RandomMatrix above(dtype, 19, columns, BlockContent::kRandom, 1);
    const RandomMatrix below(dtype, 26, columns, BlockContent::kRandom, 2);
    const RowPlace place{.offset = 19};
    in_every_order([&] {
      PackedOnDevice packed = empty_matrix(device, weight_kind(dtype), 45, columns);
      pack_rows_of(device, below.view(), 13, 13, place, packed.matrix);
      pack_rows_of(device, above.view(), 0, 19, {}, packed.matrix);
      pack_rows_of(device, below.view(), 0, 13, place, packed.matrix);
      const auto values = unpacked(device, packed.matrix, 0, 48);
      expect_values(values, packed.matrix, above.view(), {});
      expect_values(values, packed.matrix, below.view(), place);
      for (size_t i = 45 * static_cast<size_t>(packed.matrix.columns); i < values.size(); ++i) {
        ASSERT_EQ(value_of(values[i]), 0.0) << i;
      }
    });
  }
}

TEST(Pack, GateAndUpInEights) {
  OnDevice device;
  const RowPlace of_gate{.order = RowPlace::Order::kGate};
  const RowPlace of_up{.order = RowPlace::Order::kUp};
  for (const DType dtype : kTypes) {
    SCOPED_TRACE(name(dtype));
    const int64_t columns = columns_of(dtype);
    const RandomMatrix gate(dtype, 24, columns, BlockContent::kRandom, 3);
    const RandomMatrix up(dtype, 24, columns, BlockContent::kRandom, 4);
    in_every_order([&] {
      PackedOnDevice packed = empty_matrix(device, weight_kind(dtype), 48, columns);
      pack_rows_of(device, up.view(), 0, 11, of_up, packed.matrix);
      pack_rows_of(device, gate.view(), 0, 24, of_gate, packed.matrix);
      pack_rows_of(device, up.view(), 11, 13, of_up, packed.matrix);
      const auto values = unpacked(device, packed.matrix, 0, 48);
      expect_values(values, packed.matrix, gate.view(), of_gate);
      expect_values(values, packed.matrix, up.view(), of_up);
    });
  }
}

// A row's part of 20 columns, the second group of which has one value far above the others.
TEST(Pack, QuantisesAtLoad) {
  OnDevice device;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const WeightKind kind : {WeightKind::kInt8, WeightKind::kInt4}) {
      SCOPED_TRACE(std::string(name(dtype)) + (kind == WeightKind::kInt8 ? " to 8" : " to 4"));
      const RandomMatrix random(dtype, 18, 84, BlockContent::kRandom, 5);
      const TensorView view = random.view();
      in_every_order([&] {
        const PackedOnDevice packed = packed_on(device, view, kind);
        const auto values = unpacked(device, packed.matrix, 0, 32);
        std::vector<float> row(84);
        for (int64_t r = 0; r < 18; ++r) {
          decode_row(view, r, row.data());
          for (int64_t first = 0; first < 84; first += 32) {
            const int64_t end = std::min<int64_t>(first + 32, 84);
            float largest = 0.0f;
            for (int64_t c = first; c < end; ++c) {
              largest = std::max(largest, std::fabs(row[static_cast<size_t>(c)]));
            }
            // Half a step; where 4 bits end at 7 steps, a whole one. And what rounding to bf16
            // adds.
            const float step = largest / (kind == WeightKind::kInt8 ? 127.0f : 8.0f);
            const float bound =
                step * (kind == WeightKind::kInt8 ? 0.5f : 1.0f) + largest * 0x1p-7f;
            for (int64_t c = first; c < end; ++c) {
              const float want = row[static_cast<size_t>(c)];
              const auto got = static_cast<float>(
                  value_of(values[static_cast<size_t>(r * packed.matrix.columns + c)]));
              const bool is_high = want > 7.5f * step || want < -7.5f * step;
              const float allowed =
                  kind == WeightKind::kInt4 && !is_high ? bound - 0.5f * step : bound;
              ASSERT_NEAR(got, want, allowed) << r << " " << c;
            }
          }
          for (int64_t c = 84; c < packed.matrix.columns; ++c) {
            ASSERT_EQ(value_of(values[static_cast<size_t>(r * packed.matrix.columns + c)]), 0.0);
          }
        }
      });
    }
  }
}

TEST(Pack, ZerosQuantiseToZeros) {
  OnDevice device;
  const RandomMatrix zeros(DType::kF32, 16, 64, BlockContent::kZero, 1);
  for (const WeightKind kind : {WeightKind::kInt8, WeightKind::kInt4}) {
    const PackedOnDevice packed = packed_on(device, zeros.view(), kind);
    for (const uint16_t value : unpacked(device, packed.matrix, 0, 16)) {
      ASSERT_EQ(value_of(value), 0.0);
    }
  }
}

TEST(Pack, UnpacksSomeRowsToAStride) {
  OnDevice device;
  const RandomMatrix random(DType::kQ4_0, 64, 64, BlockContent::kRandom, 8);
  const PackedOnDevice packed = packed_on(device, random.view(), WeightKind::kInt4);
  const auto to = device.array<uint16_t>(21 * 72);
  OnDevice::require(unpack(
      device.stream(),
      {.from = packed.matrix, .first_row = 32, .n_rows = 20, .to = to.data(), .stride = 72}));
  const auto values = device.download(to);
  for (size_t r = 0; r < 21; ++r) {
    for (size_t c = 0; c < 72; ++c) {
      const uint16_t got = values[r * 72 + c];
      if (r == 20 || c >= 64) {
        ASSERT_EQ(got, 0xFFFF) << r << " " << c;
      } else {
        const auto row = static_cast<int64_t>(32 + r);
        ASSERT_EQ(value_of(got),
                  parts_of(DType::kQ4_0, random.view().row(row), static_cast<int64_t>(c)).packed());
      }
    }
  }
}

TEST(PackedLayout, PlanesLieOneAfterAnother) {
  const auto bits = [](DType dtype) {
    const PackedLayout layout = packed_layout(weight_kind(dtype), 4096, 4096);
    return static_cast<double>(layout.bytes) * 8 / (4096.0 * 4096.0);
  };
  EXPECT_EQ(bits(DType::kBF16), 16.0);
  EXPECT_EQ(bits(DType::kQ8_0), 8.5);
  EXPECT_EQ(bits(DType::kQ4_0), 4.5);
  EXPECT_EQ(bits(DType::kQ4_K), 5.0);
  EXPECT_EQ(bits(DType::kQ5_0), 5.5);
  EXPECT_EQ(bits(DType::kQ5_K), 6.0);
  EXPECT_EQ(bits(DType::kQ6_K), 7.0);
  const PackedLayout small = packed_layout(WeightKind::kInt5, 1, 1);
  EXPECT_EQ(small.rows, 16);
  EXPECT_EQ(small.columns, 64);
  EXPECT_EQ(small.high_offset, 512);
  EXPECT_EQ(small.scales_offset, 768);
  EXPECT_EQ(small.bytes, 1024);
}

TEST(PackedLayout, WhatCannotBePackedIsRefused) {
  EXPECT_FALSE(has_packed_form(DType::kQ2_K));
  EXPECT_FALSE(has_packed_form(DType::kMXFP4));
  EXPECT_EQ(weight_kind(DType::kIQ4_NL), WeightKind::kPlain);
  EXPECT_TRUE(check_packing(DType::kBF16, WeightKind::kInt8).ok());
  EXPECT_EQ(check_packing(DType::kQ3_K, WeightKind::kPlain).error().message,
            "Q3_K has no packed form and is not decoded");
  EXPECT_EQ(check_packing(DType::kQ4_0, WeightKind::kInt4Min).error().message,
            "Q4_0 cannot become weights of 4 bits in groups with a min");
  EXPECT_FALSE(check_packing(DType::kF32, WeightKind::kInt6).ok());
}

}  // namespace
}  // namespace forge::kernels::cuda
