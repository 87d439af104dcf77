#include "forge/result.h"

#include "forge/base/check.h"

namespace forge {

void fail_result_access(const std::string& what) {
  check_failed("forge/result.h", 0, "ok()", what);
}

}  // namespace forge
