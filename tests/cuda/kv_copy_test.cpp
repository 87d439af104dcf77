// Trusts: copies done one after another on the host.
#include <cstring>
#include <numeric>

#include "forge/kernels/cuda/attention/attention.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

TEST(KvCopy, InOrderInEveryPlane) {
  in_every_order([] {
    OnDevice device;
    constexpr int32_t kPlanes = 3;
    constexpr size_t kBlocks = 7;
    constexpr size_t kBytes = 2064;  // a last piece in the second thread block
    constexpr size_t kPlaneBytes = kBlocks * kBytes + 48;
    std::vector<uint8_t> expected(kPlanes * kPlaneBytes);
    std::iota(expected.begin(), expected.end(), uint8_t{0});
    for (size_t i = 0; i < expected.size(); ++i) expected[i] ^= static_cast<uint8_t>(i >> 8);
    const auto pool = device.upload(expected);
    // A chain, a swap through block 6, an overwritten target, and places that hold no copy.
    const std::vector<int32_t> copies = {0, 1, 1, 2, -1, 5, 3, 6, 4, 3, 6, 4, 5, 0, -1, -1};
    const auto list = device.upload(copies);
    for (size_t plane = 0; plane < kPlanes; ++plane) {
      for (size_t i = 0; i < copies.size(); i += 2) {
        if (copies[i] < 0) continue;
        uint8_t* first = expected.data() + plane * kPlaneBytes;
        std::memcpy(first + static_cast<size_t>(copies[i + 1]) * kBytes,
                    first + static_cast<size_t>(copies[i]) * kBytes, kBytes);
      }
    }
    const CopyBlocksTask task{.pool = reinterpret_cast<std::byte*>(pool.data()),
                              .n_planes = kPlanes,
                              .plane_bytes = kPlaneBytes,
                              .block_bytes = kBytes,
                              .copies = list.data(),
                              .n_copies = static_cast<int32_t>(copies.size() / 2)};
    OnDevice::require(copy_blocks(device.stream(), device.info(), task));
    EXPECT_EQ(device.download(pool), expected);
  });
}

TEST(KvCopy, SizesOfBlocks) {
  EXPECT_EQ(kv_block_bytes(KvType::kPlain, ProductType::kBf16, 8, 128), 8 * 16 * 128 * 2);
  EXPECT_EQ(kv_block_bytes(KvType::kInt8, ProductType::kBf16, 8, 128), 8 * (16 * 128 + 64));
  EXPECT_EQ(kv_block_bytes(KvType::kFp8, ProductType::kBf16, 2, 80), 2 * (16 * 96 + 64));
  EXPECT_EQ(kv_block_bytes(KvType::kPlain, ProductType::kTf32, 2, 80), 2 * 16 * 96 * 4);
  EXPECT_EQ(kv_block_bytes(KvType::kPlain, ProductType::kF32, 8, 128), 8 * 16 * 128 * 4);
  EXPECT_EQ(padded_head_dim(8), 32);
  EXPECT_EQ(padded_head_dim(129), 256);
  EXPECT_EQ(padded_head_dim(257), 0);
}

}  // namespace
}  // namespace forge::kernels::cuda
