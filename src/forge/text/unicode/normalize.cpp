#include "forge/text/unicode/normalize.h"

#include <utf8proc.h>

#include <cstdlib>

#include "forge/base/check.h"
#include "forge/base/utf8.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

// Runs of these scripts' letters, digits and signs are inert; tests/text/normalize_test proves it.
constexpr CodePointRange kInert[] = {
    {0x00, 0x2FF},    {0x400, 0x482},   {0x48A, 0x52F},   {0x5BE, 0x5BE},   {0x5D0, 0x5EA},
    {0x60C, 0x60F},   {0x61B, 0x621},   {0x626, 0x64A},   {0x660, 0x66F},   {0x905, 0x928},
    {0x92A, 0x930},   {0xE01, 0xE37},   {0xE3F, 0xE47},   {0x2010, 0x206F}, {0x20A0, 0x20C0},
    {0x2190, 0x219A}, {0x2500, 0x2ADB}, {0x3001, 0x3029}, {0x3030, 0x3098}, {0x309B, 0x30FF},
    {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xAC00, 0xD7A3}, {0xFF01, 0xFF9F}, {0x1F300, 0x1FAFF},
};

bool is_inert(char32_t c, NormalForm form) {
  return form == NormalForm::kNfc ? is_nfc_inert(c) : c < 0x80;
}

bool stays(char32_t c, NormalForm form) {
  if (find_entry(not_normalized_table(), c) != nullptr) return true;
  if (find_entry(newer_table(), c) != nullptr) return true;
  const bool compatibility = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  return compatibility && find_entry(not_compatibility_normalized_table(), c) != nullptr;
}

void append_normalized(std::string& out, std::string_view part, NormalForm form) {
  if (part.empty()) return;
  const int base = UTF8PROC_STABLE;
  const int options = form == NormalForm::kNfc    ? base | UTF8PROC_COMPOSE
                      : form == NormalForm::kNfd  ? base | UTF8PROC_DECOMPOSE
                      : form == NormalForm::kNfkc ? base | UTF8PROC_COMPOSE | UTF8PROC_COMPAT
                                                  : base | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(part.data()),
                                             static_cast<utf8proc_ssize_t>(part.size()), &mapped,
                                             static_cast<utf8proc_option_t>(options));
  FORGE_CHECK(size >= 0, "utf8proc: {}", utf8proc_errmsg(size));
  out.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(size));
  std::free(mapped);
}

}  // namespace

bool is_nfc_inert(char32_t c) {
  if (c < 0x300) return true;
  return find_entry(std::span<const CodePointRange>(kInert), c) != nullptr;
}

std::string normalize_unicode(std::string_view text, NormalForm form) {
  std::string out;
  out.reserve(text.size());
  size_t copied = 0;    // text before this is in out
  size_t previous = 0;  // start of the character before offset
  size_t offset = 0;
  while (offset < text.size()) {
    if (const size_t run = ascii_run(text, offset); run > 0) {
      offset += run;
      previous = offset - 1;
      continue;
    }
    size_t length = 0;
    if (is_inert(code_point_at(text, offset, length), form)) {
      previous = offset;
      offset += length;
      continue;
    }
    // A region starts at the inert character before it (which a mark may join) and ends before the
    // next one; what the tables do not know is a boundary inside it.
    const size_t region = offset > copied ? previous : offset;
    out.append(text.substr(copied, region - copied));
    size_t part = region;
    while (offset < text.size()) {
      const char32_t c = code_point_at(text, offset, length);
      if (is_inert(c, form)) break;
      if (stays(c, form)) {
        append_normalized(out, text.substr(part, offset - part), form);
        out.append(text.substr(offset, length));
        part = offset + length;
      }
      offset += length;
    }
    append_normalized(out, text.substr(part, offset - part), form);
    copied = offset;
    previous = offset;
  }
  out.append(text.substr(copied));
  return out;
}

std::string lowercase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t length = 0;
  for (size_t offset = 0; offset < text.size(); offset += length) {
    const char32_t c = code_point_at(text, offset, length);
    if (c < 0x80) {
      out.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
    } else if (c == 0x130) {
      out.append("i\xCC\x87");  // the one letter whose lower case is two code points
    } else if (const auto* entry = find_entry(lowercase_table(), c)) {
      append_utf8(out, static_cast<char32_t>(static_cast<int64_t>(c) + entry->value));
    } else {
      out.append(text.substr(offset, length));
    }
  }
  return out;
}

}  // namespace forge::text
