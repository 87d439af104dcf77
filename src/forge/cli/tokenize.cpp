// forge tokenize: text to ids and pieces, and back.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/cli/commands.h"
#include "forge/cli/hub/model_argument.h"
#include "forge/cli/model_options.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

struct Options {
  ModelOptions model;
  std::optional<std::string> text;
  bool decode = false;
  bool json = false;
  bool jsonl = false;
  bool no_special = false;
};

constexpr const char* kExamples =
    "  forge tokenize model.gguf --text \"Once upon a time\"\n"
    "  forge tokenize folder < story.txt\n"
    "  forge tokenize folder --decode --text \"1 9038 2501\"\n"
    "  printf '\"one\"\\n\"two\"\\n' | forge tokenize folder --jsonl\n";

/// Reads one text at a time and writes its answer; a text is the whole input or a line of it.
class TokenizeCommand {
 public:
  TokenizeCommand(const Options& options, const text::Tokenizer& tokenizer)
      : options_(options), tokenizer_(tokenizer) {}

  /// The whole input as one text.
  [[nodiscard]] Status run_once() {
    const bool is_flag = options_.text.has_value();
    FORGE_TRY(const std::string input,
              is_flag ? Result<std::string>(*options_.text) : read_text("-"));
    FORGE_TRY_STATUS(check_utf8(input, is_flag ? "--text" : "stdin"));
    if (!options_.decode) {
      const std::vector<int32_t> ids = encode(input);
      options_.json ? write_ids_json(ids) : write_ids_table(ids);
      return {};
    }
    FORGE_TRY(const std::vector<int32_t> ids, parse_ids(input));
    FORGE_TRY(const std::string text, decode(ids));
    if (options_.json) {
      write_text_json(text);
    } else {
      out_.write(text);
      out_.write("\n");
    }
    return {};
  }

  /// One JSON value a line; stops at the first line that is not what it should be.
  [[nodiscard]] Status run_lines() {
    LineReader reader;
    std::string line;
    for (int64_t number = 1; out_.is_open(); ++number) {
      if (!reader.has_line()) out_.flush();
      FORGE_TRY(const bool is_line, reader.next(line));
      if (!is_line) return {};
      const Result<json::Document> document = json::Document::parse(line, "stdin");
      if (!document.ok()) {
        // The parser counts lines too, but here each is a text of its own.
        constexpr std::string_view kFirstLine = "stdin: line 1";
        std::string_view message = document.error().message;
        if (message.starts_with(kFirstLine)) message.remove_prefix(kFirstLine.size());
        return make_error("stdin: line {}{}", number, message);
      }
      const Status status =
          options_.decode ? decode_line(document->root()) : encode_line(document->root());
      if (!status.ok()) return make_error("stdin: line {}: {}", number, status.error().message);
    }
    return {};
  }

  [[nodiscard]] int close() { return out_.close(); }

 private:
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text) const {
    return tokenizer_.encode(
        text, {.add_special = !options_.no_special, .parse_special = !options_.no_special});
  }

  [[nodiscard]] Result<std::string> decode(const std::vector<int32_t>& ids) const {
    for (const int32_t id : ids) {
      if (id >= 0 && id < tokenizer_.vocab_size()) continue;
      return make_error("token {} is not in the vocabulary of 0 to {}", id,
                        tokenizer_.vocab_size() - 1);
    }
    return tokenizer_.decode(ids, {.skip_special = options_.no_special});
  }

  [[nodiscard]] Status encode_line(const json::Value& value) {
    const auto text = value.as_string();
    if (!text) return make_error("found {}, expected a JSON string", value.dump());
    write_ids_json(encode(*text));
    return {};
  }

  [[nodiscard]] Status decode_line(const json::Value& value) {
    if (!value.is_array()) {
      return make_error("found {}, expected a JSON array of token ids", value.dump());
    }
    std::vector<int32_t> ids;
    for (size_t i = 0; i < value.size(); ++i) {
      const auto id = value.at(i).as_int();
      if (!id || *id < 0 || *id >= tokenizer_.vocab_size()) {
        return make_error("element {} is {}, expected a token id from 0 to {}", i,
                          value.at(i).dump(), tokenizer_.vocab_size() - 1);
      }
      ids.push_back(static_cast<int32_t>(*id));
    }
    FORGE_TRY(const std::string text, decode(ids));
    write_text_json(text);
    return {};
  }

  /// Numbers with blanks, commas or brackets around them: "1 2 3" or "[1, 2, 3]".
  [[nodiscard]] static Result<std::vector<int32_t>> parse_ids(std::string_view text) {
    constexpr std::string_view kBetween = " \t\r\n,[]";
    std::vector<int32_t> ids;
    for (size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;) {
      const size_t end = std::min(text.find_first_of(kBetween, at), text.size());
      const std::string_view word = text.substr(at, end - at);
      int32_t id = 0;
      const auto [stop, failure] = std::from_chars(word.data(), word.data() + word.size(), id);
      if (failure != std::errc() || stop != word.data() + word.size()) {
        return make_error("found \"{}\", expected token ids with blanks between", word);
      }
      ids.push_back(id);
      at = text.find_first_not_of(kBetween, end);
    }
    return ids;
  }

  void write_ids_json(const std::vector<int32_t>& ids) {
    json::Writer json;
    json.begin_object().key("ids").begin_array();
    for (const int32_t id : ids) json.value(id);
    json.end_array().key("pieces").begin_array();
    for (const int32_t id : ids) json.value(tokenizer_.piece(id));
    json.end_array().end_object();
    out_.write(json.text());
    out_.write("\n");
  }

  void write_ids_table(const std::vector<int32_t>& ids) {
    for (const int32_t id : ids) {
      out_.write(fmt::format("{:>7}  {}\n", id, one_line(tokenizer_.piece(id))));
    }
  }

  void write_text_json(std::string_view text) {
    json::Writer json;
    json.begin_object().member("text", text).end_object();
    out_.write(json.text());
    out_.write("\n");
  }

  const Options& options_;
  const text::Tokenizer& tokenizer_;
  StdoutStream out_;
};

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  add_model_option(line, options.model, ModelArgument::kPositional);
  CLI::Option* text =
      app.add_option("--text", options.text, "The text (or, with --decode, the ids)")
          ->type_name("T")
          ->group("Input; stdin where there is no --text");
  CLI::Option* jsonl =
      app.add_flag("--jsonl", options.jsonl,
                   "Each line of stdin is a JSON string (with --decode: an array of "
                   "ids) and gets one JSON object")
          ->group("Input; stdin where there is no --text");
  app.add_flag("--decode", options.decode, "From ids to text")->group("What to do");
  app.add_flag(
         "--no-special", options.no_special,
         "Add no BOS or EOS and read special tokens' text as plain text; with --decode, leave "
         "special tokens out")
      ->group("What to do");
  app.add_flag("--json", options.json,
               "Print {\"ids\": [...], \"pieces\": [...]} or {\"text\": ...}")
      ->group("What to do");
  jsonl->excludes(text);
}

}  // namespace

int run_tokenize(const Arguments& arguments) {
  Options options;
  CommandLine line(
      "tokenize",
      "Turn text into token ids, or ids into text. A folder needs only its tokenizer's "
      "files, a .gguf file no weights.",
      kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  const Result<engine::ModelSource> source =
      find_model(options.model.model, options.model.is_offline);
  if (!source.ok()) return runtime_error(source.error().message);
  const Result<text::Tokenizer> tokenizer = engine::load_tokenizer(*source);
  if (!tokenizer.ok()) return runtime_error(tokenizer.error().message);

  TokenizeCommand command(options, *tokenizer);
  const Status status = options.jsonl ? command.run_lines() : command.run_once();
  const int code = command.close();
  return status.ok() ? code : runtime_error(status.error().message);
}

}  // namespace forge::cli
