#include "forge/text/jinja/filters.h"

#include <unordered_map>

namespace forge::text::jinja {

Native find_filter(std::string_view name) {
  static const std::unordered_map<std::string_view, Native> kFilters = [] {
    std::unordered_map<std::string_view, Native> filters;
    for (const auto table :
         {text_filters(), value_filters(), sequence_filters(), order_filters()}) {
      for (const NamedNative& filter : table) filters.emplace(filter.name, filter.call);
    }
    return filters;
  }();
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace forge::text::jinja
