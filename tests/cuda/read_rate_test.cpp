// Trusts: the clock. The kernel's sums are thrown away, so no test can see a byte that is not read;
// tools/gpu_check holds the rate against that of bench/cuda/ceilings.
#include "forge/kernels/cuda/bandwidth/read_rate.h"

#include "tests/cuda/on_device.h"

namespace forge::kernels::cuda {
namespace {

TEST(ReadRate, OneForEachPass) {
  const auto rates = OnDevice::take(measure_read_rates(0, 1 << 20, 3));
  ASSERT_EQ(rates.size(), 3u);
  for (const double rate : rates) EXPECT_GT(rate, 0.0);
}

TEST(ReadRate, NoRoomIsAnError) {
  const auto rates = measure_read_rates(0, int64_t{1} << 50, 1);
  ASSERT_FALSE(rates.ok());
  EXPECT_NE(rates.error().message.find("measuring the bandwidth"), std::string::npos)
      << rates.error().message;
}

}  // namespace
}  // namespace forge::kernels::cuda
