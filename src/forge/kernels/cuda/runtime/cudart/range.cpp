#include "forge/kernels/cuda/runtime/range.h"

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>

namespace forge::kernels::cuda {
namespace {

/// Ours, so that a profiler can be told to show it alone. Null where none is attached.
nvtxDomainHandle_t domain() {
  static const nvtxDomainHandle_t handle = nvtxDomainCreateA("forge");
  return handle;
}

}  // namespace

Range::Range(const char* name) {
  nvtxEventAttributes_t attributes{};
  attributes.version = NVTX_VERSION;
  attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
  attributes.message.ascii = name;
  (void)nvtxDomainRangePushEx(domain(), &attributes);
}

Range::~Range() { (void)nvtxDomainRangePop(domain()); }

}  // namespace forge::kernels::cuda

#else

namespace forge::kernels::cuda {

Range::Range(const char*) {}
Range::~Range() {}

}  // namespace forge::kernels::cuda

#endif
