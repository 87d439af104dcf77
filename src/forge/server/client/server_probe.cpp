#include "forge/server/client/server_probe.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cmath>
#include <future>

#include "forge/base/json.h"
#include "forge/server/client/completion_call.h"

namespace forge::server::client {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

/// Runs one coroutine to its end.
template <typename T>
T wait_for(asio::io_context& context, asio::awaitable<T> task) {
  std::future<T> result = asio::co_spawn(context, std::move(task), asio::use_future);
  context.run();
  return result.get();
}

Clock::time_point in_seconds(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

Error describe(const Url& url, const CallError& error) {
  return make_error("{}: {}: {}", url.text(), error.kind, error.message);
}

}  // namespace

Result<std::string> ServerProbe::first_model() {
  asio::io_context context{1};
  HttpConnection connection(context.get_executor(), target_);
  const HttpRequest request{.method = boost::beast::http::verb::get,
                            .path = "/models",
                            .body = "",
                            .deadline = in_seconds(timeout_s_)};
  std::string body;
  const auto on_body = [&body](unsigned, std::string_view bytes) { body += bytes; };
  const HttpReply reply = wait_for(context, connection.send(request, on_body));
  const std::string place = target_.url().text() + "/models";
  if (reply.error) return describe(target_.url(), *reply.error);
  if (reply.status != 200) {
    return make_error("{}: HTTP {}: {}", place, reply.status, error_message(body));
  }
  FORGE_TRY(const json::Document document, json::Document::parse(body, place));
  const json::Value models = document.root().find("data");
  const bool has_one = models.is_array() && models.size() > 0;
  const auto id = (has_one ? models.at(0).find("id") : json::Value()).as_string();
  if (!id) return make_error("{}: names no model, expected one; --model does too", place);
  return std::string(*id);
}

Result<Extensions> ServerProbe::extensions(CompletionRequest request, const Prompt& prompt) {
  request.n_output = 1;
  const bool wants_ignore_eos = request.extensions.ignore_eos;
  std::optional<CallError> error;
  for (const Extensions extensions : {Extensions{true, true}, Extensions{false, true},
                                      Extensions{true, false}, Extensions{false, false}}) {
    if (extensions.ignore_eos && !wants_ignore_eos) continue;
    request.extensions = extensions;
    error = call(request, prompt).error;
    if (!error) return extensions;
    if (error->kind != "HTTP 400" && error->kind != "HTTP 422") break;
  }
  return describe(target_.url(), *error);
}

Result<std::optional<int64_t>> ServerProbe::words_for(int64_t n_tokens, CompletionRequest request,
                                                      uint64_t seed) {
  request.n_output = 1;
  // Two lengths part what a word takes from what the server adds to each prompt. Short ones: with a
  // small vocabulary n_tokens words might not fit the context.
  const int64_t n_long = std::clamp<int64_t>(n_tokens, 16, 256);
  const int64_t n_short = n_long / 4;
  double tokens[2] = {};
  for (const int64_t n_words : {n_short, n_long}) {
    const RandomPrompts prompts{.seed = seed, .n_units = n_words};
    const CallRecord record = call(request, prompts.prompt(-1));
    if (record.error) return describe(target_.url(), *record.error);
    if (!record.usage) return std::optional<int64_t>();
    tokens[n_words == n_long ? 1 : 0] = static_cast<double>(record.usage->prompt_tokens);
  }
  const double per_word = (tokens[1] - tokens[0]) / static_cast<double>(n_long - n_short);
  if (per_word <= 0.0) {
    return make_error("{}: counts {} and {} tokens for {} and {} words", target_.url().text(),
                      tokens[0], tokens[1], n_short, n_long);
  }
  const double added = tokens[1] - per_word * static_cast<double>(n_long);
  const auto n_words = std::llround((static_cast<double>(n_tokens) - added) / per_word);
  return std::optional<int64_t>(std::max<int64_t>(n_words, 1));
}

CallRecord ServerProbe::call(const CompletionRequest& request, const Prompt& prompt) {
  asio::io_context context{1};
  HttpConnection connection(context.get_executor(), target_);
  const HttpRequest http{.path = std::string(path(request.route)),
                         .body = request.body(prompt),
                         .deadline = in_seconds(timeout_s_)};
  CallRecord record;
  wait_for(context, measure_call(connection, http, Clock::now(), record));
  return record;
}

}  // namespace forge::server::client
