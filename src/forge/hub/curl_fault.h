// libcurl's results and HTTP's refusals as faults.
#pragma once

#include <string>

#include "forge/hub/curl_library.h"
#include "forge/hub/fault.h"
#include "forge/hub/request.h"

namespace forge::hub {

/// code is no success; text says what libcurl knows of it.
[[nodiscard]] Fault curl_fault(CURLcode code, const std::string& text);

/// Of an answer with a status from 400 on.
[[nodiscard]] Fault status_fault(const ResponseHead& head);

}  // namespace forge::hub
