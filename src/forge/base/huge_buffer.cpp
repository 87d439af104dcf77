#include "forge/base/huge_buffer.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace forge {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kGuard = 64;  // a vector that is read past the end

constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

}  // namespace

Result<HugeBuffer> HugeBuffer::allocate(size_t bytes) {
  HugeBuffer buffer;
  if (bytes == 0) return buffer;
  const auto failed = [&](int error) {
    return make_error("cannot allocate {} bytes: {}", bytes, std::strerror(error));
  };
  if (bytes > std::numeric_limits<size_t>::max() / 2) return failed(ENOMEM);
  // Mapped with up to 2 MiB too much, which is given back at both ends.
  const size_t alignment = bytes >= kHugePage ? kHugePage : kPage;
  const size_t wanted = round_up(bytes + kGuard, kPage);
  const size_t mapped = wanted + alignment - kPage;
  void* const start =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return failed(errno);
  auto* const first = static_cast<std::byte*>(start);
  const size_t address = reinterpret_cast<uintptr_t>(first);
  const size_t before = round_up(address, alignment) - address;
  const size_t after = mapped - before - wanted;
  if (before > 0) munmap(first, before);
  if (after > 0) munmap(first + before + wanted, after);
  buffer.data_ = first + before;
  buffer.bytes_ = bytes;
  buffer.mapped_bytes_ = wanted;
  // A kernel without huge pages refuses; small pages work too.
  if (bytes >= kHugePage) (void)madvise(buffer.data_, wanted, MADV_HUGEPAGE);
  ASAN_POISON_MEMORY_REGION(buffer.data_ + bytes, wanted - bytes);
  return buffer;
}

HugeBuffer::HugeBuffer(HugeBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}

HugeBuffer& HugeBuffer::operator=(HugeBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  return *this;
}

HugeBuffer::~HugeBuffer() {
  if (data_ == nullptr) return;
  // The addresses may be mapped again, by anyone.
  ASAN_UNPOISON_MEMORY_REGION(data_, mapped_bytes_);
  munmap(data_, mapped_bytes_);
}

}  // namespace forge
