// forge doctor: what this machine has, what Forge will use of it, and why not more.
#include "forge/cli/commands.h"
#include "forge/cli/doctor/doctor_report.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"

namespace forge::cli {

int run_doctor(const Arguments& arguments) {
  CommandLine line(
      "doctor",
      "Show what this machine has, what Forge will use of it, and why not more. Runs "
      "the default model for one token; downloads nothing. Exit code 1 where something "
      "is broken.",
      "  forge doctor\n  forge doctor --json\n");
  bool wants_json = false;
  line.app().add_flag("--json", wants_json, "Print one JSON object")->group("Output");
  if (const auto code = line.parse(arguments)) return *code;
  const doctor::Facts facts = doctor::all_facts();
  const doctor::Findings findings = doctor::judge(facts);
  // A pipe or a file has no width.
  constexpr int kUnwrapped = 1 << 20;
  StdoutStream out;
  out.write(wants_json ? doctor::as_json(facts, findings)
                       : doctor::as_text(
                             facts, findings,
                             facts.terminal.is_output ? facts.terminal.n_columns : kUnwrapped));
  const int code = out.close();
  return findings.problems.empty() ? code : kRuntimeError;
}

}  // namespace forge::cli
