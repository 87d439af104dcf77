// Where the time of steps goes.
#pragma once

#include <array>
#include <cstdint>

namespace forge::models {

/// Worker 0's time by stage since the decoder was made, where it was measured.
struct StageTimes {
  enum Stage {
    kEmbed,
    kQkv,
    kAttention,
    kOutput,
    kGateUp,
    kDown,
    kHead,
    kWait,  // at barriers, for other workers
    kStageCount,
  };
  std::array<double, kStageCount> seconds{};
  int64_t steps = 0;
};

}  // namespace forge::models
