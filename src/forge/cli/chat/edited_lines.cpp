// Line editing by libedit. What that lacks is added: bracketed paste, Ctrl-C, completion.
#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "forge/base/utf8.h"
#include "forge/cli/chat/line_source.h"
#include "forge/cli/chat/pasted_text.h"
#include "forge/cli/chat/signals.h"

namespace forge::cli::chat {
namespace {

// Xterm's bracketed paste: what is pasted comes between \e[200~ and \e[201~.
constexpr std::string_view kPasteOn = "\x1b[?2004h";
constexpr std::string_view kPasteOff = "\x1b[?2004l";

constexpr char kCtrlD = '\x04';
/// More that is typed into an answer waits in the terminal.
constexpr size_t kMostAhead = size_t{1} << 20;

std::wstring widen(std::string_view text) {
  std::wstring wide;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    wide += static_cast<wchar_t>(c.code_point);
    at += static_cast<size_t>(c.length);
  }
  return wide;
}

std::string narrow(std::wstring_view wide) {
  std::string text;
  for (const wchar_t c : wide) append_utf8(text, static_cast<char32_t>(c));
  return text;
}

/// libedit asks the C library which bytes are a character and how wide it is.
void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

class EditedLines : public LineSource {
 public:
  EditedLines(FILE* out, const std::vector<std::string>& history, std::vector<std::string> words)
      : out_(out), words_(std::move(words)) {
    use_utf8();
    edit_ = el_init("forge", stdin, out, stderr);
    history_ = history_winit();
    HistEventW event;
    history_w(history_, &event, H_SETSIZE, 1000);
    history_w(history_, &event, H_SETUNIQUE, 1);
    for (const std::string& entry : history) remember(entry);
    if (edit_ != nullptr) bind_keys();
  }

  ~EditedLines() override {
    if (edit_ != nullptr) el_end(edit_);
    history_wend(history_);
  }

  [[nodiscard]] bool is_usable() const { return edit_ != nullptr; }

  LineOutcome read(bool is_continuation, std::string& line) override {
    prompt_ = is_continuation ? L"... " : L">>> ";
    is_cancelled_ = false;
    // Before the prompt is seen, since a key that comes while lines are still the terminal's own
    // (Ctrl-D above all) would be lost; libedit itself changes that after it.
    if (take_continue()) el_wset(edit_, EL_PREP_TERM, 0);
    el_wset(edit_, EL_PREP_TERM, 1);
    write(kPasteOn);
    int n = 0;
    const wchar_t* text = el_wgets(edit_, &n);
    write(kPasteOff);
    el_wset(edit_, EL_PREP_TERM, 1);  // what is typed into an answer waits for the next prompt
    line.clear();
    if (text != nullptr && n > 0) line = narrow({text, static_cast<size_t>(n)});
    if (line.ends_with('\n')) line.pop_back();
    if (is_cancelled_) return LineOutcome::kInterrupt;
    if (text != nullptr && n > 0) return LineOutcome::kLine;
    write("\n");
    return LineOutcome::kEnd;
  }

  int ends_ahead() override {
    if (take_continue()) prepare_again(edit_);
    while (ahead_.size() < kMostAhead && is_in_foreground() && has_input(STDIN_FILENO)) {
      std::array<char, 256> bytes;
      const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (n <= 0) break;
      ahead_.append(bytes.data(), static_cast<size_t>(n));
    }
    int n_ends = 0;
    bool is_line_empty = true;
    for (const char c : ahead_) {
      const bool is_end = c == kCtrlD && is_line_empty;
      n_ends += is_end ? 1 : 0;
      is_line_empty = is_end || c == '\r' || c == '\n';
    }
    return n_ends;
  }

  void release_terminal() override { el_wset(edit_, EL_PREP_TERM, 0); }

  void remember(const std::string& text) override {
    HistEventW event;
    history_w(history_, &event, H_ENTER, widen(text).c_str());
  }

 private:
  static EditedLines& of(EditLine* edit) {
    void* self = nullptr;
    el_wget(edit, EL_CLIENTDATA, &self);
    return *static_cast<EditedLines*>(self);
  }

  void write(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), out_);
    std::fflush(out_);
  }

  using Function = unsigned char (*)(EditLine*, wint_t);
  void bind(const wchar_t* key, const wchar_t* function) {
    el_wset(edit_, EL_BIND, key, function, nullptr);
  }
  void bind(const wchar_t* key, const wchar_t* name, Function function) {
    el_wset(edit_, EL_ADDFN, name, L"of forge chat", function);
    bind(key, name);
  }

  void bind_keys() {
    el_wset(edit_, EL_CLIENTDATA, this);
    el_wset(edit_, EL_EDITOR, L"emacs");
    el_wset(edit_, EL_SIGNAL, 0);  // its handlers pass signals on to the whole process group
    el_wset(edit_, EL_SETTY, L"-d", L"+noflsh", nullptr);  // Ctrl-C loses no keys before it
    el_wset(edit_, EL_GETCFN, &EditedLines::read_char);
    el_wset(edit_, EL_PROMPT, &EditedLines::prompt);
    el_wset(edit_, EL_HIST, history_w, history_);
    constexpr std::pair<const wchar_t*, const wchar_t*> kKeys[] = {
        {L"^R", L"em-inc-search-prev"},      {L"^W", L"ed-delete-prev-word"},
        {L"\\e[3~", L"ed-delete-next-char"}, {L"\\e[H", L"ed-move-to-beg"},
        {L"\\e[F", L"ed-move-to-end"},       {L"\\e[1~", L"ed-move-to-beg"},
        {L"\\e[4~", L"ed-move-to-end"},      {L"\\e[1;5C", L"em-next-word"},
        {L"\\e[1;5D", L"ed-prev-word"},
    };
    for (const auto& [key, function] : kKeys) bind(key, function);
    bind(L"\\t", L"forge-complete", &EditedLines::complete);
    bind(L"\\e\\r", L"forge-newline", &EditedLines::insert_newline);
    el_source(edit_, nullptr);  // ~/.editrc
    bind(L"\\e[200~", L"forge-paste", &EditedLines::paste);
  }

  /// libedit does not see that others have changed the terminal's modes.
  static void prepare_again(EditLine* edit) {
    el_wset(edit, EL_PREP_TERM, 0);
    el_wset(edit, EL_PREP_TERM, 1);
  }

  static wchar_t* prompt(EditLine* edit) { return of(edit).prompt_.data(); }

  /// The next character that was typed: 1, or 0 at the end of the input.
  static int read_char(EditLine* edit, wchar_t* c) {
    std::string bytes;
    std::string& ahead = of(edit).ahead_;
    while (true) {
      if (!ahead.empty()) {
        bytes += ahead.front();
        ahead.erase(0, 1);
        if (complete_utf8_prefix(bytes) == 0) continue;
        *c = static_cast<wchar_t>(decode_utf8(bytes, 0).code_point);
        return 1;
      }
      if (!wait_for_input(STDIN_FILENO)) {
        if (take_resize()) el_resize(edit);
        if (take_continue()) {
          prepare_again(edit);
          of(edit).write(kPasteOn);
          el_wset(edit, EL_REFRESH);
        }
        if (is_terminated()) return 0;
        if (!take_interrupt()) continue;
        // Ends the line as Enter does, below all of its rows.
        of(edit).is_cancelled_ = true;
        *c = L'\n';
        return 1;
      }
      char byte = 0;
      const ssize_t n = ::read(STDIN_FILENO, &byte, 1);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) return 0;
      bytes += byte;
      if (complete_utf8_prefix(bytes) == 0) continue;  // a character's first bytes
      *c = static_cast<wchar_t>(decode_utf8(bytes, 0).code_point);
      return 1;
    }
  }

  static unsigned char insert_newline(EditLine* edit, wint_t) {
    return el_winsertstr(edit, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
  }

  static unsigned char paste(EditLine* edit, wint_t) {
    std::wstring pasted;
    wchar_t c = 0;
    while (!pasted.ends_with(L"\x1b[201~") && pasted.size() < kMostBytes &&
           el_wgetc(edit, &c) == 1) {
      pasted += c;
    }
    const std::wstring text = widen(pasted_text(narrow(pasted)));
    if (text.empty()) return CC_NORM;
    return el_winsertstr(edit, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  /// Tab: the rest of a command's name, as far as it is certain.
  static unsigned char complete(EditLine* edit, wint_t) {
    const LineInfoW* line = el_wline(edit);
    const std::string begun = narrow({line->buffer, line->cursor});
    const std::string rest = completion(begun, of(edit).words_);
    if (rest.empty()) return CC_REFRESH_BEEP;
    return el_winsertstr(edit, widen(rest).c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  FILE* out_;
  EditLine* edit_ = nullptr;
  HistoryW* history_ = nullptr;
  std::vector<std::string> words_;
  std::wstring prompt_;
  std::string ahead_;  // what was typed between two reads
  bool is_cancelled_ = false;
};

}  // namespace

std::unique_ptr<LineSource> edited_lines(bool to_stdout, const std::vector<std::string>& history,
                                         std::vector<std::string> words) {
  auto lines =
      std::make_unique<EditedLines>(to_stdout ? stdout : stderr, history, std::move(words));
  if (!lines->is_usable()) return nullptr;
  return lines;
}

}  // namespace forge::cli::chat
