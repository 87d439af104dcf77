// Whether a request is let in, decided on its header alone.
#pragma once

#include <cstdint>
#include <optional>

#include "forge/server/http/request.h"
#include "forge/server/http/response.h"
#include "forge/server/http/router.h"
#include "forge/server/http/service.h"

namespace forge::server::http {

struct Admission {
  std::optional<Reply> answer;   // set: give this answer, there is nothing to run
  const Route* route = nullptr;  // else: run this one
  int64_t max_body_bytes = 0;
};

/// Looks at the key first, so that who has none learns nothing of the routes, then at method and
/// path, then at the announced size of the body. Sets the request's client and path_tail.
[[nodiscard]] Admission admit(Request& request, std::optional<uint64_t> content_length,
                              const Service& service);

}  // namespace forge::server::http
