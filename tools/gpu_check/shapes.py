"""Shapes of real models, the names that `forge bench --random` has for them, and the rates that Forge wants to reach on
one H200 (docs/perf/gpu.md says where those come from)."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Shape:
    name: str
    family: str  # transformers' model_type
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    tied: bool
    prompts: tuple = (2048, 512)  # tokens of the prompts that are measured

    def layer_matrices(self):
        """(rows, columns) of the products of one layer, those of the same input stacked."""
        return [((self.heads + 2 * self.kv_heads) * self.head_dim, self.hidden),
                (self.hidden, self.heads * self.head_dim), (2 * self.ffn, self.hidden), (self.hidden, self.ffn)]

    def matrix_weights(self):
        """Weights that a decoded token multiplies: the layers' matrices and the head."""
        return self.layers * sum(n * k for n, k in self.layer_matrices()) + self.vocab * self.hidden

    def layer_operations(self):
        """Operations of the layers' matrices for one token of a prompt."""
        return 2 * self.layers * sum(n * k for n, k in self.layer_matrices())


SHAPES = {shape.name: shape for shape in (
    Shape("smollm2-135m", "llama", 576, 30, 9, 3, 64, 1536, 49152, True),
    Shape("qwen2.5-0.5b", "qwen2", 896, 24, 14, 2, 64, 4864, 151936, True),
    Shape("llama-3.2-1b", "llama", 2048, 16, 32, 8, 64, 8192, 128256, True),
    Shape("phi-3-mini", "phi3", 3072, 32, 32, 32, 96, 8192, 32064, False),
    Shape("llama-3.1-8b", "llama", 4096, 32, 32, 8, 128, 14336, 128256, False),
    Shape("tiny-test", "llama", 256, 2, 4, 2, 64, 512, 1024, False, (256, 128)),
)}

MOST_US_PER_LAYER = 13
# Tokens/s of one stream: bf16, q8_0, q4_k.
ONE_STREAM = {
    "smollm2-135m": (2000, 2200, 2400),
    "qwen2.5-0.5b": (1700, 2100, 2400),
    "llama-3.2-1b": (1150, 1700, 2200),
    "phi-3-mini": (450, 720, 1000),
    "llama-3.1-8b": (230, 400, 560),
}
TYPES = ("bf16", "q8_0", "q4_k")
BATCHED = {("llama-3.1-8b", "bf16", 32): 6000, ("llama-3.1-8b", "bf16", 128): 15000}
PROMPT_SHARE = {("llama-3.1-8b", "bf16", 2048): 0.70}  # of the measured rate of bf16 products
FIRST_TOKEN_SECONDS = 0.4  # of a 135M model, from the start of the process


def decode_target(model, kind, batch):
    if batch == 1 and model in ONE_STREAM and kind in TYPES:
        return ONE_STREAM[model][TYPES.index(kind)]
    return BATCHED.get((model, kind, batch))
