"""Print stories of the exported model: temperature 0.8, seeds 1 to 5.

    python models/sample.py [--prompt "Once upon a time"] [--model models/forge-stories]
"""

import argparse

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="models/forge-stories")
    parser.add_argument("--prompt", default="Once upon a time")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    inputs = tokenizer(args.prompt, return_tensors="pt")
    assert inputs["input_ids"][0, 0] == model.config.bos_token_id
    for seed in args.seeds:
        torch.manual_seed(seed)
        out = model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"],
            do_sample=True, temperature=args.temperature, top_k=0, top_p=1.0,
            max_length=model.config.max_position_embeddings,
            pad_token_id=model.config.eos_token_id)
        print(f"### Seed {seed}\n\n{tokenizer.decode(out[0], skip_special_tokens=True)}\n")


if __name__ == "__main__":
    main()
