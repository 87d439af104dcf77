// Trusts: the bytes the fake Hub was given; each case is something a network or a server does.
// Mutations that these cases catch: no restart of the hash when ranges are ignored, a retry that
// starts from zero, a range's offset not checked, the size not compared, the token kept across a
// redirect, Retry-After ignored, a name given before the checksum agrees.
#include <gtest/gtest.h>

#include "tests/hub/pulling.h"
#include "tests/server/tls_client.h"

namespace forge::hub {
namespace {

TEST_F(PullTest, CutConnectionsGoOnWhereTheyEnded) {
  hub_.set_faults(R"({"model.safetensors": [{"cut": 10000, "times": 3}, {"cut": 0}]})");
  const auto model = pull();
  expect_weights(model);
  EXPECT_EQ(model->n_received, 1'005'002);  // nothing twice
  EXPECT_TRUE(has_note("connection lost")) << testing::PrintToString(notes_);
}

TEST_F(PullTest, AConnectionThatIsAlwaysCutIsGivenUp) {
  hub_.set_faults(R"({"model.safetensors": [{"cut": 10, "times": 1000}]})");
  const std::string message = error();
  EXPECT_NE(message.find("org/model: model.safetensors: the connection to"), std::string::npos)
      << message;
  EXPECT_GE(n_incomplete(), 1);
  hub_.set_faults("{}");
  expect_weights(pull());
}

TEST_F(PullTest, StallsAreNoticed) {
  hub_.set_faults(R"({"model.safetensors": [{"stall": 5000}]})");
  expect_weights(pull());
  EXPECT_TRUE(has_note("no data from")) << testing::PrintToString(notes_);
}

TEST_F(PullTest, AStallForEverIsAnError) {
  settings_.stall_timeout = std::chrono::milliseconds(60);
  settings_.retry.attempts = 3;
  hub_.set_faults(R"({"tokenizer.json": [{"stall": 10, "times": 99}]})");
  const std::string message = error();
  EXPECT_NE(message.find("tokenizer.json: no data from"), std::string::npos) << message;
  EXPECT_NE(message.find("HF_HUB_DOWNLOAD_TIMEOUT"), std::string::npos) << message;
  hub_.go();
}

TEST_F(PullTest, ASlowServerIsNoStalledOne) {
  settings_.stall_timeout = std::chrono::milliseconds(300);
  hub_.set_faults(R"({"tokenizer.json": [{"rate": 8000}]})");
  expect_weights(pull());
  EXPECT_TRUE(notes_.empty()) << testing::PrintToString(notes_);
}

TEST_F(PullTest, DamageIsFoundAndFetchedOnceMore) {
  hub_.set_faults(R"({"model.safetensors": [{"corrupt": 70000, "at": "store"}]})");
  const auto model = pull();
  ASSERT_TRUE(model.ok()) << model.error().message;
  expect_weights(model);
  EXPECT_TRUE(has_note("another checksum"));
  EXPECT_GT(model->n_received, 1'900'000);
}

TEST_F(PullTest, DamageTwiceIsAnErrorAndLeavesNoFile) {
  hub_.set_faults(R"({"model.safetensors": [{"corrupt": 70000, "at": "store", "times": 2}]})");
  const std::string message = error();
  EXPECT_NE(message.find("model.safetensors: checksum mismatch, twice"), std::string::npos)
      << message;
  EXPECT_EQ(n_incomplete(6000), 0);  // a smaller file may have been under way
  EXPECT_FALSE(std::filesystem::exists(home_.path("hub/models--org--model/refs/main")));
  hub_.set_faults("{}");
  expect_weights(pull());
}

TEST_F(PullTest, SmallFilesAreVerifiedToo) {
  hub_.set_faults(R"({"config.json": [{"corrupt": 0, "times": 2}]})");
  EXPECT_NE(error().find("config.json: checksum mismatch"), std::string::npos);
}

TEST_F(PullTest, ServersWithoutRangesSendAllAtOnce) {
  hub_.set_faults(R"({"model.safetensors": [{"no_range": true, "times": 99}]})");
  expect_weights(pull());
}

TEST_F(PullTest, ServersWithoutRangesStartAgain) {
  hub_.set_faults(R"({"model.safetensors": [{"cut": 500000, "no_range": true},
                                            {"no_range": true, "times": 99}]})");
  expect_weights(pull());
}

TEST_F(PullTest, LiesAboutSizesAreNotBelieved) {
  hub_.set_faults(R"({"model.safetensors": [{"size": 2000000, "times": 99}]})");
  const std::string message = error();
  EXPECT_NE(message.find("sends 2000000 bytes in all, expected 1000000"), std::string::npos)
      << message;
  std::filesystem::remove_all(home_.path("hub"));
  hub_.set_faults(R"({"config.json": [{"extra": 100000, "times": 99}]})");
  EXPECT_NE(error().find("more bytes than were asked for"), std::string::npos) << error();
}

TEST_F(PullTest, AnotherPartOfAFileIsNotTaken) {
  hub_.set_faults(R"({"model.safetensors": [{"shift": -65536, "at": "store", "times": 99}]})");
  const std::string message = error();
  EXPECT_NE(message.find("sends another part than was asked for"), std::string::npos) << message;
}

TEST_F(PullTest, ServerErrorsPassOrDoNot) {
  hub_.set_faults(R"({"api": [{"status": 503, "times": 2}],
                      "model.safetensors": [{"status": 500, "at": "store", "times": 2},
                                            {"status": 502}]})");
  expect_weights(pull());
  EXPECT_TRUE(has_note("HTTP 503"));
  EXPECT_TRUE(has_note("HTTP 500"));
  hub_.set_faults(R"({"api": [{"status": 500, "times": 99}]})");
  EXPECT_NE(error().find("has a problem of its own (HTTP 500): try again later"),
            std::string::npos);
}

TEST_F(PullTest, RetryAfterIsHonoured) {
  hub_.set_faults(R"({"api": [{"status": 429, "headers": {"Retry-After": "1"}}]})");
  const auto start = std::chrono::steady_clock::now();
  expect_weights(pull());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  hub_.set_faults(
      R"({"api": [{"status": 429, "headers": {"Retry-After": "1"}},
                  {"status": 429, "headers": {"Retry-After": "7200"}}]})");
  const std::string message = error();
  EXPECT_NE(message.find("too many requests"), std::string::npos) << message;
  EXPECT_NE(message.find("in 7200 s, or set HF_TOKEN"), std::string::npos) << message;
}

TEST_F(PullTest, EveryRefusalSaysWhatToDo) {
  hub_.set_access(R"({"org/gated": {"gated": true, "token": "hf_yes"},
                      "org/mine": {"private": true, "token": "hf_yes"}})");
  hub_.add("org/gated", "config.json", "{}");
  hub_.add("org/mine", "config.json", "{}");
  const auto expect = [&](const std::string& name, const std::vector<std::string>& parts) {
    const std::string message = error(name);
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
    }
  };
  expect("org/gated", {"org/gated: gated: ask for access at ", "/org/gated, make a token"});
  expect("org/mine", {"no such model at ", "or a private one", "HF_TOKEN"});
  expect("org/nothing", {"org/nothing: no such model at "});
  expect("org/model@v9", {"org/model: no revision \"v9\"", "/org/model/tree/main"});
  settings_.token = "hf_no";
  settings_.token_origin = "HF_TOKEN";
  expect("org/gated", {"the account of the token (HF_TOKEN) has no access yet"});
  expect("org/mine", {"no such model", "that the token (HF_TOKEN) may read it"});
  settings_.token = "hf_unknown";
  expect("org/model", {"the Hub does not know the token of HF_TOKEN"});
  settings_.token = "hf_yes";
  expect("org/mine", {"org/mine: neither safetensors nor GGUF"});
  hub_.set_faults(
      R"({"model.safetensors": [{"status": 404, "code": "EntryNotFound", "times": 9}]})");
  settings_.token = "";
  expect("org/model", {"model.safetensors: the repository lists it but does not have it"});
}

TEST_F(PullTest, RedirectsLeadNowhereUnasked) {
  hub_.set_faults(R"({"config.json": [{"redirect": "file:///etc/passwd", "times": 9}]})");
  EXPECT_NE(error().find("no web address"), std::string::npos) << error();
  hub_.set_faults(R"({"config.json": [{"redirect": ")" + hub_.url() +
                  R"(/org/model/resolve/main/{file}", "times": 99}]})");
  EXPECT_NE(error().find("redirects more than 8 times"), std::string::npos) << error();
}

TEST_F(PullTest, NobodyThere) {
  settings_.endpoint = "http://127.0.0.1:1";
  EXPECT_NE(error().find("cannot connect to 127.0.0.1:1: check the network"), std::string::npos)
      << error();
  settings_.endpoint = "http://no-such-host.invalid";
  EXPECT_NE(error().find("no-such-host.invalid: check the network"), std::string::npos) << error();
  settings_.is_offline = true;
  EXPECT_NE(error().find("cannot be downloaded offline"), std::string::npos);
}

TEST_F(PullTest, AnswersThatMakeNoSense) {
  const auto with_body = [&](const std::string& body) {
    hub_.set_faults(R"({"api": [{"body": ")" + body + R"(", "times": 99}]})");
    return error();
  };
  EXPECT_NE(with_body("<html>").find("is no JSON"), std::string::npos);
  EXPECT_NE(with_body("{}").find("no commit and list of files"), std::string::npos);
  hub_.set_faults(R"({"api": [{"pad": 40000000, "times": 9}]})");
  EXPECT_NE(error().find("sends an answer of more than"), std::string::npos) << error();
  hub_.set_faults(R"({"api": [{"files": [{"rfilename": "../../evil", "size": 1}], "times": 9}]})");
  EXPECT_NE(error().find("leads somewhere else"), std::string::npos) << error();
  EXPECT_FALSE(std::filesystem::exists(home_.path("hub/models--org--model/snapshots")));
}

TEST_F(PullTest, ADiskThatIsTooSmallIsFoundBeforeTheDownload) {
  hub_.set_faults(R"({"api": [{"files": [{"rfilename": "tokenizer.model", "size": 1,
      "lfs": {"size": 900000000000000, "sha256":
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}], "times": 9}]})");
  const std::string message = error();
  EXPECT_NE(message.find("819 TiB are to be downloaded, but the disk of"), std::string::npos)
      << message;
  EXPECT_EQ(hub_.count({"/resolve/"}), 0);
}

class TlsPullTest : public PythonTest {
 protected:
  const server::http::TestCertificate certificate_;
  const FakeHub hub_{{certificate_.cert(), certificate_.key()}};
  TemporaryFolder home_;
  Settings settings_ = quick_settings(hub_, home_);

  Result<PulledModel> pull() {
    hub_.add("org/model", "config.json", "{}");
    hub_.add("org/model", "model.safetensors", std::string(200'000, 'w'));
    return hub::pull(*parse_model_name("org/model"), {settings_, std::nullopt}, {});
  }
};

TEST_F(TlsPullTest, OverTlsWithAuthoritiesOfOnesOwn) {
  settings_.ca_file = certificate_.cert();
  settings_.token = "hf_secret";
  const auto model = pull();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(read_file(model->path + "/model.safetensors").size(), 200'000u);
  EXPECT_EQ(hub_.count({"\"store\"", "hf_secret"}), 0);
}

TEST_F(TlsPullTest, AnUnknownAuthorityIsRefused) {
  const auto model = pull();
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("no trusted connection to localhost"), std::string::npos)
      << model.error().message;
  EXPECT_NE(model.error().message.find("SSL_CERT_FILE"), std::string::npos);
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(TlsPullTest, NoRedirectLeadsFromHttpsToHttp) {
  settings_.ca_file = certificate_.cert();
  hub_.set_faults(R"({"config.json": [{"redirect": "http://localhost:1/{file}", "times": 9}]})");
  const auto model = pull();
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("redirects from https to http://localhost:1"),
            std::string::npos)
      << model.error().message;
}

}  // namespace
}  // namespace forge::hub
