// Replaces operator new for the whole test program: malloc, and a note of the largest request.
#include "tests/allocation_meter.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool is_metering = false;
thread_local size_t largest_request = 0;

}  // namespace

#ifndef FORGE_UNDER_TSAN

namespace {

void* metered(size_t size) noexcept {
  if (is_metering) largest_request = std::max({largest_request, size, size_t{1}});
  return std::malloc(size == 0 ? 1 : size);
}

void* metered_or_throw(size_t size) {
  if (void* memory = metered(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return metered_or_throw(size); }
void* operator new[](size_t size) { return metered_or_throw(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return metered(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return metered(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

#endif

namespace forge {

AllocationMeter::AllocationMeter() {
  largest_request = 0;
  is_metering = true;
}
AllocationMeter::~AllocationMeter() { is_metering = false; }
size_t AllocationMeter::largest() const { return largest_request; }

}  // namespace forge
