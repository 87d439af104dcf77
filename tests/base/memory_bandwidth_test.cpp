// Reference: what no machine's memory falls outside of; the exact figures are the machine's.
#include "forge/base/memory_bandwidth.h"

#include <gtest/gtest.h>

namespace forge {
namespace {

void expect_plausible(const Result<std::vector<double>>& rates, size_t n_passes) {
  ASSERT_TRUE(rates.ok()) << rates.error().message;
  EXPECT_EQ(rates->size(), n_passes);
  for (const double rate : *rates) {
    EXPECT_GT(rate, 1e7);  // a loaded machine under a sanitizer
    EXPECT_LT(rate, 1e13);
  }
}

TEST(MemoryBandwidth, GivesARateForEachPass) {
  for (const int n_threads : {1, 3}) {
    for (const PageKind pages : {PageKind::kSmall, PageKind::kHuge}) {
      const BandwidthOptions options{
          .n_threads = n_threads, .bytes = 16 << 20, .pages = pages, .n_passes = 2};
      expect_plausible(measure_read_bandwidth(options), 2);
      expect_plausible(measure_copy_bandwidth(options), 2);
    }
  }
}

TEST(MemoryBandwidth, SaysWhereMemoryCannotBeHad) {
  const auto rates = measure_read_bandwidth({.bytes = int64_t{1} << 60});
  ASSERT_FALSE(rates.ok());
  EXPECT_NE(rates.error().message.find("cannot map"), std::string::npos);
}

}  // namespace
}  // namespace forge
