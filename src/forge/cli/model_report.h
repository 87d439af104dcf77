// What forge inspect says of a model, as a table and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "forge/engine/loaded_model.h"
#include "forge/engine/memory_plan.h"

namespace forge::cli {

struct ModelReport {
  const engine::LoadedModel& loaded;
  engine::MemoryPlan plan;
  int32_t ctx = 0;  // tokens the plan is for
  std::optional<engine::AvailableMemory> available;
};

[[nodiscard]] std::string as_table(const ModelReport& report);
/// One line, with its end; docs/cli.md lists the fields.
[[nodiscard]] std::string as_json(const ModelReport& report);

}  // namespace forge::cli
