// From a request's bytes to its JSON.
#pragma once

#include <string_view>
#include <type_traits>

#include "forge/base/json.h"
#include "forge/server/openai/api_error.h"

namespace forge::server::openai {

/// What read makes of the body's JSON, some Parsed<T>; the 400 of a text that is no JSON. The JSON
/// lives until read returns.
template <typename Read>
[[nodiscard]] std::invoke_result_t<const Read&, const json::Value&> read_body(std::string_view text,
                                                                              const Read& read) {
  const Result<json::Document> document = json::Document::parse(text, "request body");
  if (!document.ok()) return to_api_error(document.error());
  return read(document->root());
}

}  // namespace forge::server::openai
