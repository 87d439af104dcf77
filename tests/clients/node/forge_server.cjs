// Starts `forge serve` for the tests of Node clients and reads its metrics. Node's own library only.
//
// The scripts that use it are called with two arguments: the program, and a folder of the bundled model
// with a chat template.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { setTimeout: sleep } = require("node:timers/promises");
const assert = require("node:assert/strict");

const MODEL = "forge-stories";
// Milliseconds until something that takes milliseconds counts as never: sanitizers and busy machines are slow.
const PATIENCE_MS = 60_000;

class ForgeServer {
  /** A server on a free port of this machine; flags: more of `forge serve`'s. */
  static async start(...flags) {
    const [forge, model] = process.argv.slice(2);
    const fixed = ["serve", model, "--port", "0", "--served-model-name", MODEL, "--public-metrics"];
    const child = spawn(forge, [...fixed, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    const server = new ForgeServer(child);
    child.stderr.setEncoding("utf8").on("data", (text) => (server.log += text));
    const deadline = Date.now() + PATIENCE_MS;
    let found;
    while (!(found = /listening on (\S+)\n/.exec(server.log))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`forge serve did not start: ${server.log}`);
      }
      await sleep(10);
    }
    server.origin = found[1];
    server.url = `${server.origin}/v1`;
    return server;
  }

  constructor(child) {
    this.child = child;
    this.log = "";
  }

  /** {'NAME{LABELS}': value} of /metrics. */
  async metrics() {
    const text = await (await fetch(`${this.origin}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
    return Object.fromEntries(lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
  }

  /** The first metrics for which isTrue(metrics). */
  async until(isTrue, what) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const metrics = await this.metrics();
      if (isTrue(metrics)) return metrics;
      assert.ok(Date.now() < deadline, `waited in vain until ${what}: ${JSON.stringify(metrics)}`);
      await sleep(10);
    }
  }

  /** Metrics once nothing runs or waits and no cache block is held. */
  untilIdle() {
    const held = ["forge_sequences_running", "forge_requests_waiting", 'forge_kv_cache_blocks{state="used"}'];
    return this.until((metrics) => held.every((name) => metrics[name] === 0), "the server is idle");
  }

  /** Sees that the server is idle and ends cleanly on SIGTERM. */
  async stop() {
    try {
      await this.untilIdle();
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null], this.log);
    } finally {
      this.child.kill("SIGKILL");
    }
  }
}

module.exports = { ForgeServer, MODEL };
