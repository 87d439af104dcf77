// What has to be known of a server before it is measured.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/server/client/completion_request.h"
#include "forge/server/client/http_connection.h"

namespace forge::server::client {

/// Each asks the server by itself and waits, timeout_s at most for each request it takes.
class ServerProbe {
 public:
  ServerProbe(HttpTarget& target, double timeout_s) : target_(target), timeout_s_(timeout_s) {}

  /// The first model of GET /models.
  [[nodiscard]] Result<std::string> first_model();

  /// The most of the request's extensions with which the server takes it: those that it answers
  /// with 400 or 422 are left out. Fails where it takes none of the forms, for whatever reason.
  [[nodiscard]] Result<Extensions> extensions(CompletionRequest request, const Prompt& prompt);

  /// How many words of RandomPrompts make a prompt of n_tokens, what the server adds (chat
  /// template, BOS) included; at least 1. Measured with two prompts by the server's usage. Nothing:
  /// it has none.
  [[nodiscard]] Result<std::optional<int64_t>> words_for(int64_t n_tokens,
                                                         CompletionRequest request, uint64_t seed);

 private:
  /// Its record, an error of which fails it.
  [[nodiscard]] CallRecord call(const CompletionRequest& request, const Prompt& prompt);

  HttpTarget& target_;
  double timeout_s_;
};

}  // namespace forge::server::client
