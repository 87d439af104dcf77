"""LangChain's ChatOpenAI against `forge serve`. Trusts: langchain-openai's parsing; the openai package's answer."""
import openai
from forge_server import MODEL_NAME, ServerCase
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

MESSAGES = [SystemMessage("You tell stories."), HumanMessage("Once upon a time")]


class LangChain(ServerCase):
    def setUp(self):
        self.model = ChatOpenAI(base_url=self.server.url, api_key="any", model=MODEL_NAME, max_retries=0,
                                max_completion_tokens=24, temperature=0, seed=1)
        client = openai.OpenAI(base_url=self.server.url, api_key="any", max_retries=0)
        self.expected = client.chat.completions.create(
            model=MODEL_NAME, max_completion_tokens=24, temperature=0,
            messages=[{"role": "system", "content": "You tell stories."},
                      {"role": "user", "content": "Once upon a time"}])

    def test_invoke(self):
        answer = self.model.invoke(MESSAGES)
        self.assertEqual(answer.content, self.expected.choices[0].message.content)
        self.assertEqual(answer.response_metadata["finish_reason"], "length")
        self.assertEqual(answer.usage_metadata["output_tokens"], 24)
        self.assertEqual(answer.usage_metadata["input_tokens"], self.expected.usage.prompt_tokens)

    def test_stream(self):
        chunks = list(self.model.stream(MESSAGES, stream_usage=True))
        gathered = sum(chunks[1:], chunks[0])
        self.assertEqual(gathered.content, self.expected.choices[0].message.content)
        self.assertEqual(gathered.usage_metadata["output_tokens"], 24)

    def test_batch(self):
        questions = [[HumanMessage(f"Story {index}")] for index in range(8)]
        alone = [self.model.invoke(question).content for question in questions]
        self.assertEqual([answer.content for answer in self.model.batch(questions)], alone)
        self.assertGreater(len(set(alone)), 1)

    def test_several_turns(self):
        turns = [*MESSAGES, AIMessage("there was a cat."), HumanMessage("And then?")]
        self.assertGreater(self.model.invoke(turns).usage_metadata["input_tokens"],
                           self.expected.usage.prompt_tokens)

    def test_bound_tools_are_refused(self):
        def look(place: str) -> str:
            """Looks at a place."""
            return place

        with self.assertRaises(openai.BadRequestError) as caught:
            self.model.bind_tools([look]).invoke(MESSAGES)
        self.assertEqual(caught.exception.param, "tools")

    def test_embeddings(self):
        texts = ["The cat sat.", "A dog ran."]
        embeddings = OpenAIEmbeddings(base_url=self.server.url, api_key="any", model=MODEL_NAME,
                                      check_embedding_ctx_length=False)
        vectors = embeddings.embed_documents(texts)
        self.assertEqual([len(vector) for vector in vectors], [256, 256])
        self.assertEqual(embeddings.embed_query(texts[0]), vectors[0])
