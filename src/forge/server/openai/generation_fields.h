// The fields that completions and chat completions share: how text is generated and delivered.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "forge/request.h"
#include "forge/server/openai/fields.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::openai {

/// "model", and 404 where that names another one. Absent means the one that is served.
void read_model(Fields& fields, const ServedModel& served);

/// Sampling, stops, limits on time and priority: all of Request but the prompt, n, max_tokens and
/// log-probabilities. Fields keeps what is wrong.
[[nodiscard]] Request read_generation(Fields& fields, const ServedModel& served,
                                      const CallInfo& call);

/// min_tokens of the request fits within its max_tokens.
void check_min_tokens(Fields& fields, const Request& request);

/// How the answer is delivered.
struct Delivery {
  bool stream = false;
  bool include_usage = false;  // a last chunk with the usage
};
[[nodiscard]] Delivery read_delivery(Fields& fields, std::vector<std::string>* ignored);

/// Refuses by name what other servers offer and would change the answer, lenient or not.
void refuse_unsupported(Fields& fields);

}  // namespace forge::server::openai
