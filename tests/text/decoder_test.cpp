// Reference: the `tokenizers` package 0.23; expected texts were printed by its decoders.
#include "forge/text/pipeline/decoder.h"

#include <gtest/gtest.h>

#include <span>

#include "forge/base/utf8.h"
#include "forge/text/pipeline/decode_stream.h"

namespace forge::text {
namespace {

using Tokens = std::vector<std::string>;

template <typename... Decoders>
DecoderChain chain_of(Decoders... decoders) {
  DecoderChain chain;
  (chain.push_back(std::move(decoders)), ...);
  return chain;
}

// What comes out for these tokens and the end; on the way no piece may end inside a character.
std::string feed(DecodeStream& stream, std::span<const std::string> tokens) {
  std::string text;
  for (const std::string& token : tokens) {
    std::string piece;
    stream.put(token, piece);
    EXPECT_EQ(find_invalid_utf8(piece), std::nullopt);
    text += piece;
  }
  stream.finish(text);
  return text;
}

// Whatever the tokens are, a copy made between any two of them goes on as the original would.
std::string decode(const DecoderChain& chain, const Tokens& tokens) {
  DecodeStream whole(chain);
  std::string expected = feed(whole, tokens);
  for (size_t n = 0; n <= tokens.size(); ++n) {
    DecodeStream stream(chain);
    std::string text;
    for (size_t i = 0; i < n; ++i) stream.put(tokens[i], text);
    DecodeStream copy(stream);
    std::string end_of_original;
    stream.finish(end_of_original);  // changes nothing for the copy
    EXPECT_EQ(text + feed(copy, std::span(tokens).subspan(n)), expected) << "copied at " << n;
  }
  return expected;
}

DecoderChain llama() {
  return chain_of(make_replace_decoder("\u2581", " "), make_byte_fallback_decoder(),
                  make_fuse_decoder(), make_strip_decoder(" ", 1, 0));
}

TEST(Decoders, ByteFallback) {
  const DecoderChain chain = chain_of(make_byte_fallback_decoder());
  EXPECT_EQ(decode(chain, {"<0x61>"}), "a");
  EXPECT_EQ(decode(chain, {"a", "<0xE2>", "<0x82>", "<0xAC>", "b"}), "a\u20acb");
  EXPECT_EQ(decode(chain, {"<0xE2>", "<0x82>", "x"}), "\ufffd\ufffdx");
  EXPECT_EQ(decode(chain, {"<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0xFF>"}),
            "\ufffd\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(decode(chain, {"<0xe2>", "<0x82>", "<0xac>"}), "\u20ac");
  EXPECT_EQ(decode(chain, {"<0xE2", "<0xZZ>"}), "<0xE2<0xZZ>");
}

TEST(Decoders, StripMetaspaceReplace) {
  EXPECT_EQ(decode(chain_of(make_strip_decoder("H", 1, 0)), {"Hey", "HH", "aH"}), "eyHaH");
  EXPECT_EQ(decode(chain_of(make_strip_decoder("y", 0, 2)), {"Heyyy", "ayy"}), "Heya");
  const DecoderChain metaspace = chain_of(make_metaspace_decoder("\u2581", true));
  EXPECT_EQ(decode(metaspace, {"\u2581Hey", "\u2581\u2581you", "a\u2581"}), "Hey  youa ");
  EXPECT_EQ(decode(metaspace, {"\u2581\u2581",
                               "\u2581"
                               "a"}),
            " a");
  EXPECT_EQ(decode(chain_of(make_metaspace_decoder("\u2581", false)), {"\u2581Hey", "\u2581you"}),
            " Hey you");
  auto digits = Regex::compile("[0-9]+", "test");
  ASSERT_TRUE(digits.ok());
  EXPECT_EQ(decode(chain_of(make_replace_decoder(std::move(digits).value(), "#")), {"a12", "3b"}),
            "a##b");
}

TEST(Decoders, Llama) {
  EXPECT_EQ(decode(llama(), {"\u2581\u2581"
                             "a",
                             "b\u2581"}),
            " ab ");
  EXPECT_EQ(decode(llama(), {"<0x20>",
                             "\u2581"
                             "a"}),
            " a");
  EXPECT_EQ(decode(llama(), {"\u2581", "<s>"}), "<s>");
  EXPECT_EQ(decode(llama(), {}), "");
}

TEST(Decoders, ByteLevel) {
  const DecoderChain chain = chain_of(make_byte_level_decoder());
  EXPECT_EQ(decode(chain, {"\u0120hi", "\u00c3", "\u00a9"}), " hi\u00e9");
  EXPECT_EQ(decode(chain, {"\u00c3"}), "\ufffd");
  EXPECT_EQ(decode(chain, {"\u00c3", "x"}), "\ufffdx");
  EXPECT_EQ(decode(chain, {"a b", "\u0120"}), "a b ");  // a token outside the alphabet stays
  EXPECT_EQ(decode(chain, {"\u00f0", "\u0141", "\u013a"}), "\ufffd");
  EXPECT_EQ(decode(chain, {"\u00f0", "\u0141", "\u013a", "\u0122"}), "\U0001F600");
}

TEST(Decoders, JoinBySpaces) {
  EXPECT_EQ(decode(chain_of(make_join_decoder()), {"a", "b", "<x>"}), "a b <x>");
}

TEST(DecodeStream, GivesTextAsSoonAsItIsCertain) {
  const DecoderChain bytes = chain_of(make_byte_level_decoder());
  DecodeStream stream(bytes);
  std::string out;
  stream.put("\u00c3", out);
  EXPECT_EQ(out, "");
  stream.put("\u00a9", out);
  EXPECT_EQ(out, "\u00e9");

  const DecoderChain pieces = llama();
  DecodeStream words(pieces);
  out.clear();
  words.put("\u2581Once", out);
  EXPECT_EQ(out, "Once");
  words.put("\u2581upon", out);
  EXPECT_EQ(out, "Once upon");
  words.put("<0xE2>", out);
  EXPECT_EQ(out, "Once upon");  // a bad byte later would spoil the run
  words.finish(out);
  EXPECT_EQ(out, "Once upon\ufffd");
}

}  // namespace
}  // namespace forge::text
