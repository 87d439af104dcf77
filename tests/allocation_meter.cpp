// Replaces operator new for the whole test program: malloc, and a note of what was asked.
#include "tests/allocation_meter.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool is_metering = false;
thread_local size_t largest_request = 0;
thread_local int64_t n_pieces = 0;

}  // namespace

#ifndef FORGE_UNDER_TSAN

namespace {

void* metered(size_t size) noexcept {
  if (is_metering) {
    largest_request = std::max({largest_request, size, size_t{1}});
    ++n_pieces;
  }
  return std::malloc(size == 0 ? 1 : size);
}

void give_back(void* memory) noexcept {
  if (is_metering && memory != nullptr) --n_pieces;
  std::free(memory);
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
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }

#endif

namespace forge {

AllocationMeter::AllocationMeter() {
  largest_request = 0;
  n_pieces = 0;
  is_metering = true;
}
AllocationMeter::~AllocationMeter() { is_metering = false; }
size_t AllocationMeter::largest() const { return largest_request; }
int64_t AllocationMeter::n_kept() const { return n_pieces; }

}  // namespace forge
