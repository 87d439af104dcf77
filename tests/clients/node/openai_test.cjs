// The official openai package of npm, unchanged, against `forge serve`.
// Trusts: that package's parsing and its error classes; /metrics for what is left of an aborted request.
const { after, before, test } = require("node:test");
const assert = require("node:assert/strict");
const OpenAI = require("openai");
const { ForgeServer, MODEL } = require("./forge_server.cjs");

const prompt = "Once upon a time";
const messages = [{ role: "user", content: prompt }];
const story = { model: MODEL, prompt, max_tokens: 24, seed: 7 };
const chat = { model: MODEL, messages, max_completion_tokens: 24, seed: 7 };
// On the reference kernels each of the four texts alone takes about two seconds.
const long = { model: MODEL, messages, max_completion_tokens: 450, n: 4, ignore_eos: true };

let server, slow, client, slowClient;
before(async () => {
  server = await ForgeServer.start("--api-key", "right");
  slow = await ForgeServer.start("--dtype", "f32", "--threads", "1", "--max-concurrent", "4", "--max-queue", "0");
  client = new OpenAI({ baseURL: server.url, apiKey: "right", maxRetries: 0 });
  slowClient = new OpenAI({ baseURL: slow.url, apiKey: "any", maxRetries: 0 });
});
after(async () => {
  await server?.stop();
  await slow?.stop();
});

async function gather(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("a streamed completion is the whole one", async () => {
  const whole = await client.completions.create(story);
  assert.equal(whole.usage.completion_tokens, 24);
  assert.ok(whole._request_id);
  const chunks = await gather(
    await client.completions.create({ ...story, stream: true, stream_options: { include_usage: true } }));
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.deepEqual(last.usage.completion_tokens, 24);
  assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), whole.choices[0].text);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "length");
});

test("a streamed chat is the whole one", async () => {
  const whole = await client.chat.completions.create({ ...chat, logprobs: true, top_logprobs: 2 });
  assert.equal(whole.choices[0].message.role, "assistant");
  assert.equal(whole.choices[0].logprobs.content.map((token) => token.token).join(""),
    whole.choices[0].message.content);
  const chunks = await gather(await client.chat.completions.create({ ...chat, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""),
    whole.choices[0].message.content);
});

test("the stream helper gathers the same chat", async () => {
  const whole = await client.chat.completions.create(chat);
  const gathered = await client.chat.completions.stream(chat).finalChatCompletion();
  assert.equal(gathered.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(gathered.choices[0].finish_reason, "length");
});

test("embeddings in base64 are those in floats", async () => {
  const input = ["The cat sat.", "A dog ran away."];
  const packed = await client.embeddings.create({ model: MODEL, input });
  const plain = await client.embeddings.create({ model: MODEL, input, encoding_format: "float" });
  assert.equal(packed.data.length, 2);
  packed.data.forEach((item, index) => {
    assert.equal(item.embedding.length, 256);
    item.embedding.forEach((value, at) =>
      assert.ok(Math.abs(value - plain.data[index].embedding[at]) < 1e-7));
  });
  assert.notDeepEqual(packed.data[0].embedding, packed.data[1].embedding);
});

test("models", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, [MODEL]);
  assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
});

test("each mistake has its error class", async () => {
  const wrongKey = new OpenAI({ baseURL: server.url, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(wrongKey.models.list(), OpenAI.AuthenticationError);
  await assert.rejects(client.models.retrieve("other"), OpenAI.NotFoundError);
  await assert.rejects(client.completions.create({ ...story, model: "other" }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
  await assert.rejects(client.completions.create({ ...story, temperature: 3, stream: true }),
    (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
  const tools = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }];
  await assert.rejects(client.chat.completions.create({ ...chat, tools }),
    (error) => error instanceof OpenAI.BadRequestError && error.param === "tools");
});

test("an aborted stream stops and a full server makes clients wait", async () => {
  const started = await slow.untilIdle();
  const gone = 'forge_requests_aborted_total{reason="client_gone"}';
  const controller = new AbortController();
  const stream = await slowClient.chat.completions.create({ ...long, stream: true },
    { signal: controller.signal });
  for await (const _ of stream) {
    if (controller.signal.aborted) continue;
    await slow.until((metrics) => metrics.forge_sequences_running === 4, "all places are taken");
    await assert.rejects(slowClient.completions.create(story), OpenAI.RateLimitError);
    const patient = slowClient.completions.create(story, { maxRetries: 20 });
    controller.abort();
    assert.equal((await patient).usage.completion_tokens, 24);
  }
  const metrics = await slow.untilIdle();
  assert.equal(metrics[gone], started[gone] + 1);
  assert.ok(metrics.forge_generated_tokens_total < 4 * 450, "the stream went on after its abort");
});

test("a time limit of the client stops the request", async () => {
  const before = await slow.untilIdle();
  await assert.rejects(slowClient.chat.completions.create(long, { timeout: 200 }),
    OpenAI.APIConnectionTimeoutError);
  const metrics = await slow.untilIdle();
  const generated = metrics.forge_generated_tokens_total - before.forge_generated_tokens_total;
  assert.ok(generated < 4 * 450, `${generated} tokens`);
});
