// A build without CUDA: there are no devices, and nothing can be made on them.
#include "forge/base/check.h"
#include "forge/kernels/cuda/bandwidth/read_rate.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/models/cuda/cuda_decoder.h"

namespace forge {
namespace {

Error no_cuda() {
  return Error{
      "this build of forge has no CUDA: build it with `cmake --preset cuda`, or use "
      "--device cpu"};
}

}  // namespace

namespace kernels::cuda {

std::string built_for() { return {}; }
Result<std::vector<DeviceInfo>> list_devices() { return no_cuda(); }
Result<DeviceInfo> open_device(int32_t) { return no_cuda(); }
Result<int64_t> free_memory(int32_t) { return no_cuda(); }
Result<std::vector<double>> measure_read_rates(int32_t, int64_t, int32_t) { return no_cuda(); }

}  // namespace kernels::cuda

namespace models::cuda {

Result<std::unique_ptr<DecoderBackend>> make_cuda_decoder(const Model&, const DecoderOptions&) {
  return no_cuda();
}

// Nobody has a device to ask them for.
int64_t cuda_weight_bytes(const Model&, const DecoderOptions&) { return 0; }
int64_t cuda_workspace_bytes(const Model&, const DecoderOptions&) { return 0; }
int64_t cuda_kv_bytes_per_token(const ModelSpec&, const DecoderOptions&) { return 0; }

}  // namespace models::cuda
}  // namespace forge
