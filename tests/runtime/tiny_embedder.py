"""Makes tiny random sentence-embedding models, laid out as sentence-transformers writes them; tests import this file as `mixc.tests.runtime.tiny_embedder`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mixc.tests.runtime.tiny import make_tiny_tokenizer

WIDTH = 16
POOLING = ("1_Pooling", "sentence_transformers.models.Pooling", {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True})
NORMALIZE = ("2_Normalize", "sentence_transformers.models.Normalize", None)


def make_tiny_embedder(
    folder: Path, modules: Sequence[tuple[str, str, dict | None]] = (POOLING, NORMALIZE), *, transformer: dict | None = None, prompts: dict | None = None,
    frame: bool = True, seed: int = 0, below: str = "",
) -> Path:  # fmt: skip
    """Write a random two-layer BERT with these modules behind it (folder, class, configuration); dense layers and layer norms get random weights.

    `frame`: each text begins and ends with a token of its own. `below`: the folder of the transformer.
    """
    import torch
    from safetensors.torch import save_file
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    tokenizer = make_tiny_tokenizer(chat_template=False)
    if frame:
        ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<|endoftext|>", "<|im_end|>")]
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<|endoftext|> $A <|im_end|>", special_tokens=ids)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64, pad_token_id=2
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(config, add_pooling_layer=False)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.25)
        inner = folder / below
        inner.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(inner)
        tokenizer.save_pretrained(inner)
        listed: list[dict[str, Any]] = [{"idx": 0, "name": "0", "path": below, "type": "sentence_transformers.models.Transformer"}]
        for number, (path, kind, settings) in enumerate(modules, 1):
            listed.append({"idx": number, "name": str(number), "path": path, "type": kind})
            (folder / path).mkdir(exist_ok=True)
            if settings is not None:
                (folder / path / "config.json").write_text(json.dumps(settings))
            if kind.endswith("Dense"):
                sizes = (settings or {})["out_features"], (settings or {})["in_features"]
                tensors = {"linear.weight": torch.randn(sizes), **({"linear.bias": torch.randn(sizes[0])} if (settings or {}).get("bias", True) else {})}
                save_file(tensors, folder / path / "model.safetensors")
            if kind.endswith("LayerNorm"):
                size = (settings or {})["dimension"]
                save_file({"norm.weight": torch.randn(size), "norm.bias": torch.randn(size)}, folder / path / "model.safetensors")
    (folder / "modules.json").write_text(json.dumps(listed))
    if transformer is not None:
        (inner / "sentence_bert_config.json").write_text(json.dumps(transformer))
    if prompts is not None:
        (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return folder
