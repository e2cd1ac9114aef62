"""Low-rank adapters (LoRA, Hu et al., 2106.09685) of a model, through peft: made, written, merged. It knows no trainer."""

import json
from pathlib import Path
from typing import Any

from ...compiler.clauses import Lora


def adapted(model: Any, lora: Lora, name: str, seed: int) -> Any:
    """The model with an adapter on every linear layer but the head, float32; its own weights are frozen in their type.

    Each such layer W reads x as W x + (alpha / rank) B A dropout(x), A drawn with `seed`, B zero. `name` is what the adapter calls its base.
    """
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    set_seed(seed)
    found = get_peft_model(model, LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules="all-linear", bias="none", task_type="CAUSAL_LM",  # type: ignore[arg-type]
    ))  # fmt: skip
    found.peft_config["default"].base_model_name_or_path = name
    return found


def write_adapter(model: Any, folder: Path) -> None:
    """`adapter_config.json` and `adapter_model.safetensors` as peft loads them; the same bytes for the same adapter."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # peft's page has nothing to say but the base
    path = folder / "adapter_config.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["target_modules"] = sorted(told["target_modules"])
    path.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def merged(model: Any) -> Any:
    """The plain model with the adapter added to its weights, in float32; the adapted one is used up."""
    return model.float().merge_and_unload()
