// Reference: the protobuf wire format and the SentencePiece rules, on a small model written here
// byte by byte; ids of real models are compared in vectors_test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "forge/text/load/protobuf.h"
#include "forge/text/load/sentencepiece_model.h"
#include "forge/text/tokenizer.h"
#include "tests/temporary_folder.h"

namespace forge::text {
namespace {

using Ids = std::vector<int32_t>;

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_number(std::string& out, uint32_t field, uint64_t value) {
  put_varint(out, uint64_t{field} << 3);
  put_varint(out, value);
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_varint(out, uint64_t{field} << 3 | 2);
  put_varint(out, bytes.size());
  out.append(bytes);
}

std::string piece_message(std::string_view text, float score, uint64_t type) {
  std::string message;
  put_bytes(message, 1, text);
  put_varint(message, 2 << 3 | 5);
  char bits[4];
  std::memcpy(bits, &score, 4);
  message.append(bits, 4);
  put_number(message, 3, type);
  return message;
}

// Pieces: <unk> <s> </s> <0x00>..<0xFF> then the words; ids of words start at 259.
struct ModelFile {
  std::vector<std::string> pieces;
  uint64_t model_type = 2;
  std::string normalizer;
  bool has_normalizer = true;

  ModelFile() {
    pieces = {piece_message("<unk>", 0, 2), piece_message("<s>", 0, 3),
              piece_message("</s>", 0, 3)};
    for (int byte = 0; byte < 256; ++byte) {
      pieces.push_back(piece_message(fmt::format("<0x{:02X}>", byte), 0, 6));
    }
    for (const auto& [text, score] :
         std::initializer_list<std::pair<const char*, float>>{{"\u2581", -4},
                                                              {"a", -5},
                                                              {"b", -6},
                                                              {"\u2581"
                                                               "a",
                                                               -1},
                                                              {"ab", -2},
                                                              {"\u2581"
                                                               "ab",
                                                               -3}}) {
      pieces.push_back(piece_message(text, score, 1));
    }
    put_bytes(normalizer, 1, "identity");
    put_number(normalizer, 3, 1);
    put_number(normalizer, 4, 0);
  }

  [[nodiscard]] std::string bytes() const {
    std::string out;
    for (const std::string& piece : pieces) put_bytes(out, 1, piece);
    std::string trainer;
    put_number(trainer, 3, model_type);
    put_number(trainer, 35, 1);
    put_bytes(out, 2, trainer);
    if (has_normalizer) put_bytes(out, 3, normalizer);
    return out;
  }
};

Result<Tokenizer> load(const std::string& bytes, std::string_view config = "") {
  const TemporaryFolder folder;
  folder.write("tokenizer.model", bytes);
  if (!config.empty()) folder.write("tokenizer_config.json", config);
  return Tokenizer::load_folder(folder.path());
}

TEST(SentencePiece, EncodesWithPrefixBytesAndBos) {
  const auto tokenizer = load(ModelFile().bytes());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ab a"), (Ids{1, 264, 262}));
  EXPECT_EQ(tokenizer->encode(""), (Ids{1}));
  EXPECT_EQ(tokenizer->encode("\n", {.add_special = false}), (Ids{259, 3 + 10}));
  EXPECT_EQ(tokenizer->encode("<s>a", {.add_special = false}), (Ids{1, 262}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 264, 262}), "<s> ab a");
  EXPECT_EQ(tokenizer->decode(Ids{1, 264, 262}, {.skip_special = true}), "ab a");
  EXPECT_EQ(tokenizer->token_bytes(262), " a");
  EXPECT_EQ(tokenizer->token_bytes(3 + 0xE2), "\xE2");
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_EQ(tokenizer->description(), "SentencePiece BPE");
}

TEST(SentencePiece, ConfigDecidesAboutBosEosAndPrefix) {
  const std::string bytes = ModelFile().bytes();
  EXPECT_EQ(load(bytes, R"({"add_bos_token": false, "add_eos_token": true})")->encode("a"),
            (Ids{262, 2}));
  EXPECT_EQ(load(bytes, R"({"add_bos_token": false})")->encode("a<s>b"), (Ids{262, 1, 259, 261}));
  EXPECT_EQ(load(bytes, R"({"add_bos_token": false, "legacy": false})")->encode("a<s>b"),
            (Ids{262, 1, 261}));
  EXPECT_EQ(load(bytes, R"({"add_bos_token": false, "add_prefix_space": false})")->encode("a"),
            (Ids{260}));
  const auto added = load(bytes, R"({"added_tokens_decoder": {
      "265": {"content": "<|x|>", "special": true, "rstrip": true}}})");
  EXPECT_EQ(added->encode("<|x|>  a"), (Ids{1, 265, 262}));
}

TEST(SentencePiece, ExtraWhiteSpaceIsRemovedWhereTheModelSaysSo) {
  ModelFile file;
  file.normalizer.clear();
  put_bytes(file.normalizer, 1, "identity");
  EXPECT_EQ(load(file.bytes())->encode("  a   a "), (Ids{1, 262, 262}));
}

TEST(SentencePiece, UserDefinedPiecesAreFoundInTheText) {
  ModelFile file;
  file.pieces.push_back(piece_message("\u2581\u2581", 0, 4));
  EXPECT_EQ(load(file.bytes(), R"({"add_prefix_space": false})")->encode("a  b"),
            (Ids{1, 260, 265, 261}));
}

TEST(SentencePiece, RefusesByName) {
  struct Case {
    std::function<void(ModelFile&)> change;
    const char* message;
  };
  const Case cases[] = {
      {[](ModelFile& f) { f.model_type = 1; }, "model_type: 1 (Unigram) is not supported"},
      {[](ModelFile& f) { f.model_type = 3; }, "model_type: 3 (word) is not supported"},
      {[](ModelFile& f) { f.has_normalizer = false; }, "no normalizer_spec"},
      {[](ModelFile& f) { put_bytes(f.normalizer, 2, "map"); }, "with a character map"},
      {[](ModelFile& f) { put_number(f.normalizer, 5, 0); }, "escape_whitespaces false"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("u", 0, 5)); }, "of type UNUSED"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("u", 0, 9)); }, "piece type 9"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("a", 0, 1)); }, "\"a\" is listed twice"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("", 0, 1)); }, "piece 265 is empty"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("\xFF", 0, 1)); }, "not valid UTF-8"},
      {[](ModelFile& f) { f.pieces.push_back(piece_message("u", std::nanf(""), 1)); }, "NaN"},
      {[](ModelFile& f) { f.pieces.clear(); }, "no pieces"}};
  for (const Case& entry : cases) {
    ModelFile file;
    entry.change(file);
    const auto result = load(file.bytes());
    ASSERT_FALSE(result.ok()) << entry.message;
    EXPECT_NE(result.error().message.find(entry.message), std::string::npos)
        << result.error().message;
  }
}

// Exact-size copies, so that ASan sees a read past the end. A cut between two fields is a message
// in itself; the loader must then miss something.
TEST(SentencePiece, EveryTruncationIsRefused) {
  const std::string whole = ModelFile().bytes();
  const TemporaryFolder folder;
  int parsed = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (!parse_sentencepiece_model({exact.data(), exact.size()}, "test").ok()) continue;
    ++parsed;
    folder.write("tokenizer.model", std::string_view(whole).substr(0, size));
    EXPECT_FALSE(Tokenizer::load_folder(folder.path()).ok()) << size;
  }
  EXPECT_LT(parsed, 300);  // one for each field
}

// Any changed byte gives a model or an error, never a crash (run under ASan); exact-size copies.
TEST(SentencePiece, ChangedBytesDoNoHarm) {
  const std::string whole = ModelFile().bytes();
  int parsed = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      const std::vector<char> exact(bytes.begin(), bytes.end());
      parsed += parse_sentencepiece_model({exact.data(), exact.size()}, "test").ok() ? 1 : 0;
    }
  }
  EXPECT_GT(parsed, 0);
  EXPECT_LT(parsed, static_cast<int>(3 * whole.size()));
}

TEST(ProtoReader, RefusesWhatIsNotAMessage) {
  const std::pair<std::string, const char*> cases[] = {
      {std::string("\x0A\x05"
                   "ab",
                   4),
       "5 bytes, only 2 left"},
      {std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11), "only 0 left"},
      {std::string("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12), "more than 10 bytes"},
      {std::string("\x0D\x01\x02", 3), "ends inside a number"},
      {std::string("\x09\x01", 2), "ends inside a number"},
      {std::string("\x0B", 1), "wire type 3"},
      {std::string("\x02\x00", 2), "field number 0"},
      {std::string("\x80", 1), "ends inside a varint"}};
  for (const auto& entry : cases) {
    ProtoReader reader(entry.first, "test");
    const auto field = reader.next();
    ASSERT_FALSE(field.ok()) << entry.second;
    EXPECT_NE(field.error().message.find(entry.second), std::string::npos) << field.error().message;
  }
}

TEST(Tiktoken, AcceptsOnlyLlama3sSize) {
  const auto small = load("YQ== 0\nYg== 1\n");
  ASSERT_FALSE(small.ok());
  EXPECT_NE(small.error().message.find("2 ranks up to 1, expected Llama 3's 128000"),
            std::string::npos);
  const auto broken = load("YQ== 0\nYg= 1\n");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace forge::text
