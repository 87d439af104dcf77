#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

int64_t RangeObject::size() const {
  // Differences of two int64 fit an uint64; the callers have bounded the result.
  if (step > 0) {
    if (start >= stop) return 0;
    const uint64_t span = static_cast<uint64_t>(stop) - static_cast<uint64_t>(start);
    return static_cast<int64_t>((span - 1) / static_cast<uint64_t>(step) + 1);
  }
  if (start <= stop) return 0;
  const uint64_t span = static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  return static_cast<int64_t>((span - 1) / (0 - static_cast<uint64_t>(step)) + 1);
}

std::string_view ViewObject::type_name() const {
  switch (what) {
    case What::kKeys:
      return "dict_keys";
    case What::kValues:
      return "dict_values";
    case What::kItems:
      return "dict_items";
  }
  return "dict_items";
}

}  // namespace forge::text::jinja
