"""Makes tiny random students: real transformers models, saved as safetensors, with a real byte-level BPE tokenizer.

They know nothing of language; tests import this file as `mixc.tests.runtime.tiny`.
"""

from pathlib import Path
from typing import Any

TEXT = """Natalia sold 48 clips in April, and then she sold half as many clips in May. How many clips did she sell?
First, we find how many clips she sold in May: 48 / 2 = 24. Then we add them. The answer is 48 + 24 = 72 clips.
Let x be the number of apples. We know that 3x + 4 = 19, so 3x = 15! Therefore x = 5.
To solve this problem, we need the area of the triangle, which is half the base times the height.
The train travels 60 miles per hour for 2.5 hours. What is the distance? It is 60 * 2.5 = 150 miles.
#### 72
"""
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_tiny_student(
    folder: Path, *, arch: str = "llama", context: int = 512, chat_template: bool = True, seed: int = 0
) -> Path:
    """Write a random two-layer `arch` (see `_config`) and its tokenizer; same seed, same weights. vLLM takes `wide`."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = make_tiny_tokenizer(chat_template=chat_template)
    config = _config(arch, len(tokenizer), context)
    config.bos_token_id = 0
    config.eos_token_id = 2
    config.pad_token_id = 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        for parameter in model.parameters():
            if parameter.dim() > 1:  # with the default spread of 0.02 nothing would depend on the context
                torch.nn.init.normal_(parameter, std=0.25)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tiny_tokenizer(*, chat_template: bool = True) -> Any:
    """A byte-level BPE with about 400 tokens: every text can be encoded, and many characters take several tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(TEXT.splitlines(keepends=True), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    if chat_template:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def _config(arch: str, vocabulary: int, context: int) -> Any:
    import transformers as hf

    sizes: dict[str, Any] = {
        "vocab_size": vocabulary, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": context,
    }
    match arch:
        case "llama":
            return hf.LlamaConfig(**sizes, tie_word_embeddings=True)
        case "wide":
            return hf.LlamaConfig(**{**sizes, "hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1}, tie_word_embeddings=True)
        case "qwen2":
            return hf.Qwen2Config(**sizes, tie_word_embeddings=False)
        case "qwen3":
            return hf.Qwen3Config(**sizes, head_dim=16, tie_word_embeddings=True)
        case "mistral":
            return hf.MistralConfig(**sizes, head_dim=8, sliding_window=24)
        case "phi3":
            return hf.Phi3Config(**sizes, pad_token_id=2, bos_token_id=0, eos_token_id=2)
        case "longrope":
            factors = {"short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.5, 2.0, 4.0, 8.0]}
            rope = {"rope_type": "longrope", "rope_theta": 10_000.0, "original_max_position_embeddings": 64, **factors}
            return hf.Phi3Config(**sizes, rope_parameters=rope, original_max_position_embeddings=64, pad_token_id=2, bos_token_id=0, eos_token_id=2)
        case "dynamic":
            return hf.LlamaConfig(**{**sizes, "max_position_embeddings": 64}, rope_parameters={"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 4.0})
        case "gemma2":
            layers = ["sliding_attention", "full_attention"]
            return hf.Gemma2Config(**sizes, head_dim=8, sliding_window=24, layer_types=layers, final_logit_softcapping=3.0, attn_logit_softcapping=2.0)
        case "gemma3":
            layers = ["sliding_attention", "full_attention"]
            return hf.Gemma3TextConfig(**sizes, head_dim=8, sliding_window=24, layer_types=layers)
        case "gpt2":
            return hf.GPT2Config(vocab_size=vocabulary, n_positions=context, n_embd=32, n_layer=2, n_head=4)
        case "qwen2_moe":  # its layers slide by their mask alone
            return hf.Qwen2MoeConfig(**sizes, moe_intermediate_size=32, shared_expert_intermediate_size=32, num_experts=4, num_experts_per_tok=2,
                                     sliding_window=24, layer_types=["sliding_attention", "full_attention"])  # fmt: skip
        case "granite":
            return hf.GraniteConfig(**sizes, logits_scaling=4.0, pad_token_id=2)
        case "cohere":
            return hf.CohereConfig(**sizes, logit_scale=0.25, pad_token_id=2, bos_token_id=0, eos_token_id=2)
        case "bloom":  # its positions are in its attention scores, which no packed row can give
            return hf.BloomConfig(vocab_size=vocabulary, hidden_size=32, n_layer=2, n_head=4)
        case "mamba":  # no attention at all
            return hf.MambaConfig(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, state_size=4)
        case _:
            raise ValueError(f"no tiny student of architecture {arch}")
