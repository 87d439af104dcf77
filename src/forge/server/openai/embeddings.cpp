#include "forge/server/openai/embeddings.h"

#include <array>
#include <charconv>
#include <cmath>

#include "forge/base/bytes.h"
#include "forge/base/check.h"
#include "forge/server/openai/prompt_input.h"

namespace forge::server::openai {
namespace {

enum class Encoding { kFloat, kBase64 };

// The double whose shortest spelling is that of the float: 0.1, not 0.10000000149011612.
double shortest(float value) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  FORGE_CHECK(error == std::errc(), "a float of more than {} characters", text.size());
  double result = 0.0;
  std::from_chars(text.data(), end, result);
  return result;
}

void write_vector(json::Writer& writer, std::span<const float> vector, Encoding encoding) {
  if (encoding == Encoding::kFloat) {
    writer.begin_array();
    for (const float value : vector) writer.value(shortest(value));
    writer.end_array();
    return;
  }
  std::vector<unsigned char> bytes(vector.size() * sizeof(float));
  for (size_t i = 0; i < vector.size(); ++i) {
    store_le(reinterpret_cast<std::byte*>(bytes.data() + i * sizeof(float)), vector[i]);
  }
  writer.value(base64(bytes));
}

class EmbeddingAnswer final : public Answer {
 public:
  EmbeddingAnswer(const ServedModel& served, size_t n_requests, size_t n_dimensions,
                  Encoding encoding)
      : Answer(Delivery{}),
        model_(served.names.front()),
        n_dimensions_(n_dimensions),
        encoding_(encoding),
        vectors_(n_requests) {}

 private:
  void take(size_t request, const StreamEvent& event, std::string&) override {
    FORGE_CHECK(request < vectors_.size(), "request {} of {}", request, vectors_.size());
    if (!event.embedding.empty()) vectors_[request] = normalised(event.embedding, n_dimensions_);
  }

  std::string end(const Usage& usage) override {
    json::Writer writer;
    writer.begin_object().member("object", "list");
    writer.key("data").begin_array();
    for (size_t i = 0; i < vectors_.size(); ++i) {
      FORGE_CHECK(!vectors_[i].empty(), "no embedding of input {}", i);
      writer.begin_object().member("object", "embedding");
      writer.member("index", static_cast<int64_t>(i)).key("embedding");
      write_vector(writer, vectors_[i], encoding_);
      writer.end_object();
    }
    writer.end_array().member("model", model_);
    writer.key("usage").begin_object();
    writer.member("prompt_tokens", usage.prompt_tokens);
    writer.member("total_tokens", usage.prompt_tokens);
    writer.end_object().end_object();
    return writer.text();
  }

  std::string model_;
  size_t n_dimensions_;
  Encoding encoding_;
  std::vector<std::vector<float>> vectors_;
};

}  // namespace

std::vector<float> normalised(std::span<const float> vector, size_t n_dimensions) {
  FORGE_CHECK(n_dimensions <= vector.size(), "{} dimensions of {}", n_dimensions, vector.size());
  std::vector<float> result(vector.begin(), vector.begin() + static_cast<ptrdiff_t>(n_dimensions));
  double sum = 0.0;
  for (const float value : result) sum += double{value} * value;
  if (sum == 0.0) return result;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& value : result) value = static_cast<float>(value * scale);
  return result;
}

std::string base64(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? bytes[i + k] : 0u);
    for (size_t k = 0; k < 4; ++k) {
      text += k <= n ? kDigits[group >> (18 - 6 * k) & 63u] : '=';
    }
  }
  return text;
}

Parsed<Call> parse_embeddings(const json::Value& body, const ServedModel& served,
                              const CallInfo& call) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  Call parsed;
  read_model(fields, served);
  constexpr std::array<std::string_view, 2> kEncodings = {"float", "base64"};
  const std::string_view encoding = fields.word("encoding_format", kEncodings).value_or("float");
  constexpr std::array<std::string_view, 2> kPoolings = {"mean", "last"};
  const std::optional<std::string_view> pooling = fields.word("pooling", kPoolings);
  const int64_t n_dimensions =
      fields.integer("dimensions", 1, served.hidden_dim).value_or(served.hidden_dim);
  const bool add_special = fields.flag("add_special_tokens").value_or(true);
  constexpr std::string_view kOther[] = {"user", "input"};
  fields.accept(kOther);
  fields.finish(served.is_lenient ? &parsed.ignored_fields : nullptr);
  if (error) return *error;
  std::vector<PromptInput> inputs =
      read_prompts(fields, "input", served, {.add_special = add_special});
  if (error) return *error;

  for (PromptInput& input : inputs) {
    Request request;
    request.prompt = std::move(input.ids);
    request.client = call.client;
    request.embedding = served.pooling;
    if (pooling) request.embedding = *pooling == "last" ? Pooling::kLast : Pooling::kMean;
    parsed.requests.push_back(std::move(request));
  }
  parsed.answer = std::make_unique<EmbeddingAnswer>(
      served, inputs.size(), static_cast<size_t>(n_dimensions),
      encoding == "base64" ? Encoding::kBase64 : Encoding::kFloat);
  return parsed;
}

}  // namespace forge::server::openai
