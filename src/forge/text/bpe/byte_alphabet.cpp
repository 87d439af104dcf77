#include "forge/text/bpe/byte_alphabet.h"

#include <array>

#include "forge/base/utf8.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

constexpr char32_t kFirstStandIn = 0x100;
constexpr char32_t kEndOfAlphabet = 0x144;  // 68 bytes are not printable

constexpr bool is_printable(unsigned char byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<int16_t, kEndOfAlphabet> bytes{};

  Alphabet() {
    bytes.fill(-1);
    char32_t stand_in = kFirstStandIn;
    for (int i = 0; i < 256; ++i) {
      const auto byte = static_cast<unsigned char>(i);
      const char32_t c = is_printable(byte) ? byte : stand_in++;
      append_utf8(characters[byte], c);
      bytes[c] = static_cast<int16_t>(i);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

std::string_view byte_to_alphabet(unsigned char byte) { return alphabet().characters[byte]; }

std::optional<unsigned char> alphabet_to_byte(char32_t c) {
  if (c >= kEndOfAlphabet || alphabet().bytes[c] < 0) return std::nullopt;
  return static_cast<unsigned char>(alphabet().bytes[c]);
}

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  for (const char c : bytes) out.append(byte_to_alphabet(static_cast<unsigned char>(c)));
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t length = 0;
  for (size_t offset = 0; offset < text.size(); offset += length) {
    const auto byte = alphabet_to_byte(code_point_at(text, offset, length));
    if (!byte) return std::nullopt;
    out.push_back(static_cast<char>(*byte));
  }
  return out;
}

}  // namespace forge::text
