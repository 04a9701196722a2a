"""Towers in PyTorch. Imports are inside: a process that measures onnxruntime is to hold nothing of torch."""

import json
import sys
import tomllib

from .common import ROOT

GOLDEN = ROOT / "crates/export/tests/golden"
EDGE = ROOT / "models/medclip-edge"
DIM, SIDE = 512, 224
TINY_RESNET = {"kind": "resnet", "channels": 3, "width": 8, "blocks": [1, 1, 1, 1], "batch_norm_eps": 1e-5}
BERT_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


def golden(name):
    """A module beside the golden files of the exporter."""
    sys.path.insert(0, str(GOLDEN))
    return __import__(name)


def bert(config, seed=None):
    """Sentences [batch, tokens] to unit rows [batch, dim], averaged over tokens and three layers as MedCLIP does."""
    import torch
    from transformers import BertConfig, BertModel

    class Bert(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = BertModel(BertConfig(**config), add_pooling_layer=False)
            self.projection_head = torch.nn.Linear(config["hidden_size"], DIM, bias=False)

        def forward(self, input_ids, attention_mask):
            found = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            states = (found.hidden_states[1] + found.hidden_states[2] + found.hidden_states[-1]) / 3
            mask = attention_mask[..., None].to(states.dtype)
            pooled = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(self.projection_head(pooled), dim=-1)

    if seed is not None:
        torch.manual_seed(seed)
    tower = Bert().eval()
    if seed is not None:
        with torch.no_grad():
            for name, tensor in tower.named_parameters():
                if tensor.dim() < 2:
                    tensor.add_(torch.randn_like(tensor) * 0.1)
                elif "layer" in name:
                    tensor.mul_(1.5)
    return tower


def edge(image):
    """The EfficientNet-Lite of the shipped model, its batch normalisations folded as in the bundle's graph."""
    import torch
    import torch.nn.functional as F

    reference = golden("reference")

    class Conv(torch.nn.Module):
        def __init__(self, width, out, kernel, stride=1, groups=1):
            super().__init__()
            # Padding at stride 2 is not the same on both sides.
            self.conv = torch.nn.Conv2d(width, out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)

        def forward(self, x):
            [stride, _], [kernel, _] = self.conv.stride, self.conv.kernel_size
            return self.conv(x if stride == 1 else reference.same_padded(x, kernel, stride))

    class Block(torch.nn.Module):
        def __init__(self, width, hidden, out, kernel, stride):
            super().__init__()
            self.expand = Conv(width, hidden, 1) if hidden != width else None
            self.depthwise = Conv(hidden, hidden, kernel, stride, hidden)
            self.project = Conv(hidden, out, 1)
            self.residual = stride == 1 and width == out

        def forward(self, x):
            wide = x if self.expand is None else F.relu6(self.expand(x))
            found = self.project(F.relu6(self.depthwise(wide)))
            return x + found if self.residual else found

    class Tower(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = Conv(image["channels"], image["stem"], 3, 2)
            blocks = list(reference.blocks(image))
            self.blocks = torch.nn.Sequential(*(Block(*block) for block in blocks))
            self.head = Conv(blocks[-1][2], image["head"], 1)
            self.projection_head = torch.nn.Linear(image["head"], DIM, bias=False)

        def forward(self, pixels):
            x = F.relu6(self.head(self.blocks(F.relu6(self.stem(pixels)))))
            return F.normalize(self.projection_head(x.mean(dim=(2, 3))), dim=-1)

    return Tower().eval()


def base_config(width):
    vocabulary = json.loads((EDGE / "tokenizer.json").read_text())["model"]["vocab"]
    return {"vocab_size": len(vocabulary)} | width


def image_config(tower):
    full = golden("full_size").TOWERS
    return tomllib.loads(full[tower]) if tower in full else TINY_RESNET


def torch_tower(tower, directory):
    """With the weights of `directory`."""
    from safetensors.torch import load_file

    weights = load_file(directory / f"{tower}.safetensors")
    if tower in ["swin", "resnet"]:
        return golden("published").ImageTower(image_config(tower), DIM, SIDE).load(weights)
    if tower == "bert":
        module = bert(base_config({}) | BERT_BASE)
    else:
        module = edge(tomllib.loads((EDGE / "model.toml").read_text())["architecture"]["image"])
    module.load_state_dict(weights)
    return module
