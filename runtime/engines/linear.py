"""Linear layers in the form that the processor multiplies fastest: float32 weights packed once by oneDNN, where torch has it."""

from typing import Any


def pack_weights(model: Any) -> int:
    """Replace the float32 linear layers of a model on the CPU by packed ones; how many. The model is then for inference only.

    The values are those of float32 multiplication; only the order of the sums may differ from before.
    """
    import torch

    if not _is_available():
        return 0
    tied = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    done = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is torch.nn.Linear and child.weight.dtype == torch.float32 and child.weight.device.type == "cpu":
                setattr(parent, name, _packed(child, keep=id(child.weight) in tied))
                done += 1
    return done


def _packed(linear: Any, keep: bool) -> Any:
    import torch

    class PackedLinear(torch.nn.Module):
        """`x @ weight.T + bias`; `weight` is unpacked for who asks for it."""

        def __init__(self) -> None:
            super().__init__()
            with torch.no_grad():
                self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
            self.bias = linear.bias
            self.in_features, self.out_features = linear.in_features, linear.out_features
            self.shared = linear.weight if keep else None

        @property
        def weight(self) -> Any:
            return self.packed.to_dense() if self.shared is None else self.shared

        def forward(self, x: Any) -> Any:
            return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")

    return PackedLinear()


def _is_available() -> bool:
    """Whether this build of torch packs weights, and multiplies with them rightly."""
    import torch

    if not torch.backends.mkldnn.is_available():
        return False
    try:
        with torch.inference_mode():
            generator = torch.Generator().manual_seed(0)
            x, weight = torch.randn(5, 16, generator=generator), torch.randn(24, 16, generator=generator)
            packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
            found = torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
            return torch.allclose(found, x @ weight.T, atol=1e-4)
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
