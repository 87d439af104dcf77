// Packing against packing code by code (same bytes), and against tensor/decode.h (what is packed
// reads back bit for bit).
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "forge/kernels/cpu/pack.h"
#include "forge/tensor/decode.h"
#include "tests/kernels/pack_by_code.h"
#include "tests/kernels/random_blocks.h"

namespace forge::kernels::cpu {
namespace {

TEST(CpuPack, reads_back_every_row_bit_for_bit) {
  for (const DTypeInfo& type : all_dtypes()) {
    for (const BlockContent content :
         {BlockContent::kRandom, BlockContent::kZero, BlockContent::kAllOnes}) {
      for (const int64_t n_blocks : {1, 3, 8}) {
        const int64_t k = type.block_len == 1 ? n_blocks * 5 : type.block_len * n_blocks;
        const int64_t rows = 21;  // a full panel and a part of one
        const RandomMatrix matrix(type.dtype, rows, k, content, 1);
        std::vector<std::byte> packed(static_cast<size_t>(packed_bytes(type.dtype, rows, k)),
                                      std::byte{0xAA});
        pack_panels(matrix.view(), 0, n_panels(rows), packed.data());
        std::vector<float> expected(static_cast<size_t>(k));
        std::vector<float> actual(static_cast<size_t>(k));
        for (int64_t r = 0; r < rows; ++r) {
          decode_row(matrix.view(), r, expected.data());
          unpack_row(type.dtype, packed.data() + r / kPanelRows * panel_bytes(type.dtype, k),
                     static_cast<int>(r % kPanelRows), k, actual.data());
          ASSERT_EQ(std::memcmp(expected.data(), actual.data(), expected.size() * sizeof(float)), 0)
              << type.name << " row " << r << " k " << k;
        }
        // Rows that the matrix does not have are zeros.
        unpack_row(type.dtype, packed.data() + panel_bytes(type.dtype, k), 15, k, actual.data());
        for (const float x : actual) ASSERT_EQ(x, 0.0f) << type.name;
      }
    }
  }
}

TEST(CpuPack, gives_the_same_bytes_as_code_by_code) {
  for (const DTypeInfo& type : all_dtypes()) {
    for (const int64_t n_blocks : {1, 2, 3, 8, 9}) {
      for (const int64_t rows : {1, 6, 16, 35}) {
        const int64_t k = type.block_len == 1 ? n_blocks * 15 : type.block_len * n_blocks;
        const RandomMatrix matrix(type.dtype, rows, k, BlockContent::kRandom,
                                  static_cast<uint32_t>(rows));
        const std::vector<std::byte> expected = pack_by_code(matrix.view());
        const int64_t bytes = panel_bytes(type.dtype, k);
        // Guards in front and behind, each panel of its own, the last first.
        std::vector<std::byte> packed(expected.size() + 128, std::byte{0xAA});
        for (int64_t p = n_panels(rows); p-- > 0;) {
          pack_panels(matrix.view(), p, p + 1, packed.data() + 64 + p * bytes);
        }
        for (size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(packed[64 + i], expected[i])
              << type.name << " " << rows << " x " << k << ", byte " << i;
        }
        for (size_t i = 0; i < 64; ++i) {
          ASSERT_EQ(packed[i], std::byte{0xAA});
          ASSERT_EQ(packed[packed.size() - 1 - i], std::byte{0xAA});
        }
      }
    }
  }
}

TEST(CpuPack, sizes_are_the_files_but_for_padding) {
  // Bytes of 16 rows x 256 elements: cpu design, section 2.
  EXPECT_EQ(panel_bytes(DType::kQ4_0, 256), 4 * 576);
  EXPECT_EQ(panel_bytes(DType::kQ5_1, 256), 4 * 768);
  EXPECT_EQ(panel_bytes(DType::kQ8_0, 256), 4 * 1088);
  EXPECT_EQ(panel_bytes(DType::kQ4_K, 256), 2304);
  EXPECT_EQ(panel_bytes(DType::kQ5_K, 256), 2816);
  EXPECT_EQ(panel_bytes(DType::kQ6_K, 256), 3392);
  EXPECT_EQ(panel_bytes(DType::kQ2_K, 256), 1344);
  EXPECT_EQ(panel_bytes(DType::kQ3_K, 256), 1792);
  EXPECT_EQ(panel_bytes(DType::kIQ4_XS, 256), 2176);
  EXPECT_EQ(panel_bytes(DType::kMXFP4, 256), 2176);
  EXPECT_EQ(panel_bytes(DType::kQ8_K, 256), 4160);
  EXPECT_EQ(panel_bytes(DType::kBF16, 256), 16 * 256 * 2);
}

}  // namespace
}  // namespace forge::kernels::cpu
