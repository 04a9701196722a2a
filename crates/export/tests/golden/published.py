"""The image towers of the published model in the libraries they come from, from weights with the names of
crates/core/src/architecture: Hugging Face's SwinModel, and a ResNet of torchvision's Bottleneck.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import Bottleneck
from transformers import SwinConfig, SwinModel

PREFIX = "vision_model.model."

# transformers 5 renamed what transformers 4 and the published checkpoints call:
SWIN_NAMES = [
    ("attention.self.relative_position_bias_table", "attention.relative_position_bias.relative_position_bias_table"),
    ("attention.self.query", "attention.q_proj"),
    ("attention.self.key", "attention.k_proj"),
    ("attention.self.value", "attention.v_proj"),
    ("attention.output.dense", "attention.o_proj"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
]


def canonical(name):
    """A name of SwinModel, whichever version, as checkpoints have it."""
    for old, new in SWIN_NAMES:
        name = name.replace(new, old)
    return name


class ResNet(nn.Module):
    """torchvision's ResNet of any width and number of stages, without its classifier."""

    def __init__(self, config):
        super().__init__()
        norm = lambda channels: nn.BatchNorm2d(channels, eps=config["batch_norm_eps"])
        width = config["width"]
        self.conv1 = nn.Conv2d(config["channels"], width, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm(width)
        self.stages = len(config["blocks"])
        for stage, count in enumerate(config["blocks"]):
            planes, blocks = config["width"] << stage, []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                shortcut = None
                if index == 0:
                    shortcut = nn.Sequential(nn.Conv2d(width, 4 * planes, 1, stride, bias=False), norm(4 * planes))
                blocks.append(Bottleneck(width, planes, stride, shortcut, norm_layer=norm))
                width = 4 * planes
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))

    def forward(self, pixels):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(pixels))), 3, stride=2, padding=1)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x.mean(dim=(2, 3))


class ImageTower(nn.Module):
    """Pixels [batch, channels, side, side] to unit rows [batch, dim]."""

    def __init__(self, config, dim, side):
        super().__init__()
        self.kind = config["kind"]
        if self.kind == "swin":
            sizes = {"num_channels": config["channels"], "image_size": side}
            for name in ["patch_size", "embed_dim", "depths", "num_heads", "window_size", "mlp_ratio", "layer_norm_eps"]:
                sizes[name] = config[name]
            self.trunk = SwinModel(SwinConfig(**sizes, attn_implementation="eager", drop_path_rate=0.0))
            features, self.projection_name = self.trunk.num_features, "vision_model.projection_head.weight"
        else:
            self.trunk = ResNet(config)
            features, self.projection_name = self.trunk.bn1.num_features * 2 ** (self.trunk.stages + 1), PREFIX + "fc.weight"
        self.projection = nn.Linear(features, dim, bias=False)
        self.eval()

    def forward(self, pixels):
        features = self.trunk(pixels)
        if self.kind == "swin":
            features = features.pooler_output
        return F.normalize(self.projection(features), dim=-1)

    def named(self):
        """Parameters and statistics by their names in a checkpoint."""
        tensors = dict(self.trunk.named_parameters())
        tensors |= {name: buffer for name, buffer in self.trunk.named_buffers() if "running" in name}
        named = {PREFIX + canonical(name): tensor for name, tensor in tensors.items()}
        return named | {self.projection_name: self.projection.weight}

    def randomise(self, seed):
        """Seeded values that keep signals of order one."""
        generator = torch.Generator().manual_seed(seed)
        normal = lambda tensor: torch.randn(tensor.shape, generator=generator)
        uniform = lambda tensor: torch.rand(tensor.shape, generator=generator)
        with torch.no_grad():
            for name, tensor in sorted(self.named().items()):
                if name.endswith("bias_table"):
                    tensor.copy_(normal(tensor))
                elif tensor.dim() > 1:
                    tensor.copy_(normal(tensor) * 1.3 / math.sqrt(tensor[0].numel()))
                elif name.endswith("running_var") or name.endswith("weight"):
                    tensor.copy_(uniform(tensor) + 0.5)
                else:
                    tensor.copy_(normal(tensor) * 0.3)
        return self

    def load(self, weights):
        named = self.named()
        assert named.keys() == weights.keys(), named.keys() ^ weights.keys()
        with torch.no_grad():
            for name, tensor in weights.items():
                named[name].copy_(tensor)
        return self
