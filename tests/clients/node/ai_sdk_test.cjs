// The AI SDK with its OpenAI-compatible provider, unchanged, against `forge serve`.
// Trusts: those packages' parsing; /metrics for what is left of an aborted request.
const { after, before, test } = require("node:test");
const assert = require("node:assert/strict");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { APICallError, embedMany, generateText, jsonSchema, streamText, tool } = require("ai");
const { ForgeServer, MODEL } = require("./forge_server.cjs");

const prompt = "Once upon a time";
const system = "You tell stories.";
let server, slow, forge, slowForge;

const provider = (url, apiKey) =>
  createOpenAICompatible({ name: "forge", baseURL: url, apiKey, includeUsage: true });

before(async () => {
  server = await ForgeServer.start("--api-key", "right");
  slow = await ForgeServer.start("--dtype", "f32", "--threads", "1");
  forge = provider(server.url, "right");
  slowForge = provider(slow.url, "any");
});
after(async () => {
  await server?.stop();
  await slow?.stop();
});

const call = (more) =>
  ({ model: forge(MODEL), system, prompt, maxOutputTokens: 24, seed: 7, maxRetries: 0, ...more });

/** What the server itself says to the same chat. */
async function expected() {
  const messages = [{ role: "system", content: system }, { role: "user", content: prompt }];
  const response = await fetch(`${server.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer right", "content-type": "application/json" },
    body: JSON.stringify({ messages, max_tokens: 24, seed: 7 }),
  });
  return response.json();
}

test("generateText", async () => {
  const answer = await generateText(call());
  const plain = await expected();
  assert.equal(answer.text, plain.choices[0].message.content);
  assert.equal(answer.finishReason, "length");
  assert.equal(answer.usage.outputTokens, 24);
  assert.equal(answer.usage.inputTokens, plain.usage.prompt_tokens);
});

test("streamText is generateText in pieces", async () => {
  const answer = streamText(call());
  let text = "";
  for await (const piece of answer.textStream) text += piece;
  assert.equal(text, (await expected()).choices[0].message.content);
  assert.equal(await answer.finishReason, "length");
  assert.equal((await answer.usage).outputTokens, 24);
});

test("a stop sequence", async () => {
  const whole = (await generateText(call())).text;
  const stop = whole.slice(5, 12);
  const answer = await generateText(call({ stopSequences: [stop] }));
  assert.equal(answer.text, whole.slice(0, whole.indexOf(stop)));
  assert.equal(answer.finishReason, "stop");
});

test("the completion model", async () => {
  const answer = await generateText({ model: forge.completionModel(MODEL), prompt, maxOutputTokens: 8,
    temperature: 0, maxRetries: 0 });
  assert.equal(answer.usage.outputTokens, 8);
  assert.ok(answer.text.length > 0);
});

test("embedMany", async () => {
  const values = ["The cat sat.", "A dog ran away.", "The cat sat."];
  const { embeddings, usage } = await embedMany({ model: forge.embeddingModel(MODEL), values });
  assert.deepEqual(embeddings.map((vector) => vector.length), [256, 256, 256]);
  assert.deepEqual(embeddings[0], embeddings[2]);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
  assert.ok(usage.tokens > 0);
});

test("mistakes are APICallErrors with the server's own words", async () => {
  const is = (status, pattern) => (error) =>
    APICallError.isInstance(error) && error.statusCode === status && pattern.test(error.message);
  const wrongKey = provider(server.url, "wrong");
  await assert.rejects(generateText(call({ model: wrongKey(MODEL) })), is(401, /key/i));
  await assert.rejects(generateText(call({ model: forge("other") })), is(404, /other/));
  await assert.rejects(generateText(call({ temperature: 3 })), is(400, /temperature/));
  const tools = { look: tool({ description: "Looks.", inputSchema: jsonSchema({ type: "object" }) }) };
  await assert.rejects(generateText(call({ tools })), is(400, /tools/));
});

test("an aborted stream stops", async () => {
  const gone = 'forge_requests_aborted_total{reason="client_gone"}';
  const controller = new AbortController();
  const answer = streamText(call({ model: slowForge(MODEL), maxOutputTokens: 450, abortSignal: controller.signal,
    providerOptions: { forge: { ignore_eos: true, n: 4 } } }));
  let read = 0;
  for await (const part of answer.fullStream) {
    if (part.type === "text-delta" && ++read === 3) controller.abort();
  }
  const metrics = await slow.untilIdle();
  assert.equal(metrics[gone], 1);
  assert.ok(metrics.forge_generated_tokens_total < 4 * 450, "the stream went on after its abort");
});
