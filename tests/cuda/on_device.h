// A device and a stream for tests of kernels, and arrays on it. Built twice: with the fake runtime,
// where kernels run on the CPU, and for real devices (tools/gpu_check).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

/// Memory of the device. Fresh arrays are NaN in every float type, -1 in every integer.
template <typename T>
class DeviceArray {
 public:
  DeviceArray(DeviceMemory memory, size_t size) : memory_(std::move(memory)), size_(size) {}
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  DeviceMemory memory_;
  size_t size_;
};

class OnDevice {
 public:
  OnDevice() : info_(take(open_device(0))), stream_(take(Stream::create(0))) {}

  [[nodiscard]] const DeviceInfo& info() const { return info_; }
  [[nodiscard]] Stream& stream() { return stream_; }

  template <typename T>
  [[nodiscard]] DeviceArray<T> array(size_t size) {
    const auto bytes = static_cast<int64_t>(size * sizeof(T));
    DeviceArray<T> array(take(DeviceMemory::allocate(0, bytes, "a test's array")), size);
    require(stream_.fill(array.data(), 0xFF, bytes));
    return array;
  }
  template <typename T>
  [[nodiscard]] DeviceArray<T> upload(const std::vector<T>& values) {
    DeviceArray<T> to = array<T>(values.size());
    require(
        stream_.copy(to.data(), values.data(), static_cast<int64_t>(values.size() * sizeof(T))));
    require(stream_.synchronize());
    return to;
  }
  template <typename T>
  [[nodiscard]] std::vector<T> download(const DeviceArray<T>& from) {
    std::vector<T> values(from.size());
    require(
        stream_.copy(values.data(), from.data(), static_cast<int64_t>(values.size() * sizeof(T))));
    require(stream_.synchronize());
    return values;
  }

  static void require(const Status& status) {
    FORGE_CHECK(status.ok(), "{}", status.error().message);
  }
  template <typename T>
  static T take(Result<T> result) {
    FORGE_CHECK(result.ok(), "{}", result.error().message);
    return std::move(result).value();
  }

 private:
  DeviceInfo info_;
  Stream stream_;
};

}  // namespace forge::kernels::cuda
