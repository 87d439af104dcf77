"""Stage peers: the same shapes with random weights in bf16, by others on the same device: transformers as it comes (eager),
with a static cache and torch.compile, and the "library roof": a CUDA graph of nothing but the library's products of a
decode step, which no engine that calls them one by one can beat."""
import statistics
import time

import shapes
from report import Skip

MODELS = ("smollm2-135m", "llama-3.2-1b")
ROOFS = ("smollm2-135m", "qwen2.5-0.5b", "llama-3.2-1b", "llama-3.1-8b")
BATCHES = (1, 32)
N_PROMPT = 16
N_GEN = 48
N_REPEATS = 3
COMPILE_SECONDS = 25  # less is not enough to begin with


def config_of(shape):
    from transformers import AutoConfig

    return AutoConfig.for_model(
        shape.family, hidden_size=shape.hidden, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim, intermediate_size=shape.ffn,
        vocab_size=shape.vocab, tie_word_embeddings=shape.tied, max_position_embeddings=2048, pad_token_id=None,
        bos_token_id=1, eos_token_id=2)


def random_model(shape, device):
    """transformers' model, its weights made on the device."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config_of(shape), dtype=torch.bfloat16)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name else 0.0, 0.02)
    return model.eval()


def synchronize(device):
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def decode_rate(step, device, n_gen):
    """Tokens/s of greedy steps, each of which waits for nothing but its predecessor; the median of repeats.
    step(i) -> None runs the i-th."""
    rates = []
    for _ in range(N_REPEATS):
        synchronize(device)
        start = time.perf_counter()
        for i in range(n_gen):
            step(i)
        synchronize(device)
        rates.append(n_gen / (time.perf_counter() - start))
    return statistics.median(rates)


def eager(model, device, n_gen):
    import torch

    ids = torch.randint(3, model.config.vocab_size, (1, N_PROMPT), device=device)
    state = {}

    def step(i):
        if i == 0:
            # Each repeat starts from a prompt again, so that all see caches of the same lengths.
            state["out"] = model(ids, use_cache=True)
        token = state["out"].logits[:, -1:].argmax(-1)
        state["out"] = model(token, past_key_values=state["out"].past_key_values, use_cache=True)

    step(0)
    return decode_rate(step, device, n_gen)


def compiled(model, device, n_gen):
    """As transformers' documentation has it: a static cache, a step compiled with CUDA graphs."""
    import torch
    from transformers import StaticCache

    cache = StaticCache(config=model.config, max_cache_len=N_PROMPT + n_gen + 1)
    # A cache that is there already: the step is compiled once, not for an empty cache first.
    model(torch.full((1, 2), 5, device=device), past_key_values=cache, use_cache=True)
    cache.reset()
    forward = torch.compile(model.forward, mode="reduce-overhead" if device == "cuda" else "default")
    token = torch.randint(3, model.config.vocab_size, (1, 1), device=device)
    state = {"token": token}

    def step(i):
        if i == 0:
            cache.reset()
        position = torch.tensor([[i]], device=device)
        if device == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        out = forward(state["token"], past_key_values=cache, position_ids=position, use_cache=True)
        state["token"] = out.logits[:, -1:].argmax(-1).clone()

    # Compiles, records and settles; which step does what is the library's business.
    for i in range(n_gen // 2):
        step(i)
    return decode_rate(step, device, n_gen)


def roof(shape, device, batch):
    """Steps/s of only the products of a decode step: every layer's matrices and the head, each with its own weights."""
    import torch
    import torch.nn.functional as F

    def random(n, k):
        return torch.empty(n, k, device=device, dtype=torch.bfloat16).normal_(0, 0.02)

    weights = [random(n, k) for _ in range(shape.layers) for n, k in shape.layer_matrices()]
    weights.append(random(shape.vocab, shape.hidden))
    inputs = {w.shape[1]: random(batch, w.shape[1]) for w in weights}

    def products():
        for w in weights:
            F.linear(inputs[w.shape[1]], w)

    with torch.no_grad():
        products()
        if device != "cuda":
            return decode_rate(lambda i: products(), device, 3)
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            products()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            products()
        graph.replay()
        return decode_rate(lambda i: graph.replay(), device, 50)


def tell(report, name, model, work, unit="tokens/s", factor=1):
    """One measurement; one that fails is said and does not end the stage."""
    import torch

    try:
        with torch.no_grad():
            report.measured(f"{model}: {name}", factor * work(), unit, peer=name, model=model)
    except Exception as error:  # Other people's software in any version; their failure is not ours.
        report.told(f"{model}: {name}", f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def run(settings, report):
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from error
    device = settings.device
    report.told("versions", f"torch {torch.__version__}, transformers {transformers.__version__}; bf16, random weights")
    for name in settings.models or ROOFS:
        for batch in BATCHES:
            tell(report, f"library roof x {batch}", name, lambda: roof(shapes.SHAPES[name], device, batch),
                 factor=batch)
    models = settings.models or MODELS
    for name in models:
        model = random_model(shapes.SHAPES[name], device)
        tell(report, "transformers, eager", name, lambda: eager(model, device, N_GEN))
        if settings.quick or settings.seconds_left() < COMPILE_SECONDS:
            report.told(f"{name}: transformers, compiled", "left out: no time")
            continue
        tell(report, "transformers, static cache and torch.compile", name, lambda: compiled(model, device, N_GEN))
