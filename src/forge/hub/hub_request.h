// Short questions to the Hub: an answer as a whole.
#pragma once

#include <string>

#include "forge/hub/pull_events.h"
#include "forge/hub/transfers.h"

namespace forge::hub {

struct Answer {
  Fault fault;
  ResponseHead head;
  std::string body;
};

/// Sends it and waits; failures that may pass are tried again, with a line about each. A missing
/// network is not waited for: that is said at once. A body of more than max_bytes is a fault.
[[nodiscard]] Answer ask(Transfers& transfers, const Request& request, size_t max_bytes,
                         const Settings& settings, const PullEvents& events);

}  // namespace forge::hub
