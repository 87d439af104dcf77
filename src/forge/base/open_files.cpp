#include "forge/base/open_files.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace forge {

Status allow_open_files(int64_t n_connections) {
  constexpr rlim_t kOthers = 64;  // standard streams, event queues, the resolver, a model
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return make_error("limit of open files: {}", std::strerror(errno));
  }
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return make_error("limit of open files: {}", std::strerror(errno));
  }
  const rlim_t wanted = static_cast<rlim_t>(n_connections) + kOthers;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) {
    return make_error("{} connections: the system allows {} open files, {} are wanted (ulimit -Hn)",
                      n_connections, limit.rlim_max, wanted);
  }
  return {};
}

}  // namespace forge
