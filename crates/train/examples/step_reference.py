"""What step.rs times, in PyTorch: same towers, batch, objective and clipping, random weights.

    python step_reference.py --image swin-tiny --text bio-clinical-bert --batch 16 --sequence 32 --threads 2

Needs torch, torchvision and transformers. Attention is scaled_dot_product_attention where --attention is sdpa (Swin has
the eager form only), AdamW is fused unless --foreach; with --precision bf16 the towers run under autocast. Prints one
line of JSON.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

STAGES = [(16, 1, 3, 1, 1), (24, 2, 3, 2, 6), (40, 2, 5, 2, 6), (80, 3, 3, 2, 6), (112, 3, 5, 1, 6), (192, 4, 5, 2, 6), (320, 1, 3, 1, 6)]


class SamePadded(nn.Conv2d):
    """TensorFlow's SAME: the odd zero comes last."""

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - size, 0)
            pads += [total // 2, total - total // 2]
        if pads[0] == pads[1] == pads[2] == pads[3]:
            return F.conv2d(x, self.weight, None, self.stride, pads[0], 1, self.groups)
        return F.conv2d(F.pad(x, pads), self.weight, None, self.stride, 0, 1, self.groups)


def conv(inputs, outputs, kernel=1, stride=1, groups=1, act=True):
    layers = [SamePadded(inputs, outputs, kernel, stride, groups=groups, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.residual = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            *([conv(inputs, hidden)] if expand > 1 else []),
            conv(hidden, hidden, kernel, stride, groups=hidden),
            conv(hidden, outputs, act=False),
        )

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class EfficientNetLite0(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.stem = conv(channels, 32, 3, 2)
        blocks, inputs = [], 32
        for outputs, repeats, kernel, stride, expand in STAGES:
            for index in range(repeats):
                blocks.append(InvertedResidual(inputs, outputs, kernel, stride if index == 0 else 1, expand))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = conv(inputs, 1280)

    def freeze(self, count):
        if count == 0:
            return
        for module in [self.stem, *self.blocks[:count]]:
            module.requires_grad_(False)
            module.eval()

    def forward(self, x):
        return self.head(self.blocks(self.stem(x))).mean((2, 3))


class Image(nn.Module):
    def __init__(self, arguments):
        super().__init__()
        self.kind = arguments.image
        if self.kind == "swin-tiny":
            from transformers import SwinConfig, SwinModel

            config = SwinConfig(image_size=arguments.size, num_channels=arguments.channels, drop_path_rate=0.0)
            self.trunk, width = SwinModel(config), 768
        elif self.kind == "resnet50":
            import torchvision

            self.trunk, width = torchvision.models.resnet50(), 2048
            self.trunk.fc = nn.Identity()
            if arguments.channels != 3:
                self.trunk.conv1 = nn.Conv2d(arguments.channels, 64, 7, 2, 3, bias=False)
        elif self.kind == "efficientnet-lite0":
            self.trunk, width = EfficientNetLite0(arguments.channels), 1280
        else:
            raise SystemExit(f"no image tower {self.kind}")
        self.head = nn.Linear(width, 512, bias=False)

    def forward(self, pixels):
        features = self.trunk(pixels)
        return F.normalize(self.head(features.pooler_output if self.kind == "swin-tiny" else features), dim=1)


class Text(nn.Module):
    def __init__(self, arguments):
        super().__init__()
        from transformers import BertConfig, BertModel

        if arguments.text == "bio-clinical-bert":
            sizes = dict(vocab_size=28996)
        else:
            sizes = dict(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
        config = BertConfig(
            **sizes, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation=arguments.attention
        )
        self.trunk = BertModel(config, add_pooling_layer=False)
        self.head = nn.Linear(config.hidden_size, 512, bias=False)
        self.frozen = arguments.freeze_layers
        if self.frozen:
            self.trunk.embeddings.requires_grad_(False)
            self.trunk.encoder.layer[: self.frozen].requires_grad_(False)

    def forward(self, ids, known=None):
        if known is None:
            states = self.trunk(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states
            pooled = (states[1].mean(1) + states[2].mean(1) + states[-1].mean(1)) / 3
        else:
            early, x = known
            for layer in self.trunk.encoder.layer[self.frozen :]:
                x = layer(x, None)
                x = x[0] if isinstance(x, tuple) else x
            pooled = (early + x.mean(1)) / 3
        return F.normalize(self.head(pooled), dim=1)

    @torch.no_grad()
    def lower(self, ids):
        states = self.trunk(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states
        return states[1].mean(1) + states[2].mean(1), states[self.frozen].clone()


def objective(logits, images, texts):
    def direction(logits, left, right):
        similarity = F.normalize(left, dim=1) @ F.normalize(right, dim=1).T
        return -(similarity.softmax(1) * logits.log_softmax(1)).sum(1).mean()

    return (direction(logits, images, texts) + direction(logits.T, texts, images)) / 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", default="swin-tiny")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--text", default="bio-clinical-bert")
    parser.add_argument("--sequence", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--freeze-blocks", type=int, default=0)
    parser.add_argument("--freeze-layers", type=int, default=0)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    parser.add_argument("--foreach", action="store_true", help="AdamW(foreach=True) instead of fused")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)

    device = torch.device(arguments.device)
    image, text = Image(arguments).train().to(device), Text(arguments).train().to(device)
    scale = nn.Parameter(torch.tensor(2.6593, device=device))
    if arguments.freeze_blocks:
        image.trunk.freeze(arguments.freeze_blocks)
    parameters = [p for p in [*image.parameters(), *text.parameters(), scale] if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=1e-5, weight_decay=1e-4, **({"foreach": True} if arguments.foreach else {"fused": True})
    )
    count = arguments.sentences or arguments.batch
    pixels = torch.rand(arguments.batch, arguments.channels, arguments.size, arguments.size) * 4 - 2
    if arguments.channels_last:
        image, pixels = image.to(memory_format=torch.channels_last), pixels.to(memory_format=torch.channels_last)
    ids = torch.randint(4, text.trunk.config.vocab_size, (count, arguments.sequence))
    labels = [(torch.rand(n, 14) < 0.2).float() for n in (arguments.batch, count)]
    pixels, ids, labels = pixels.to(device), ids.to(device), [label.to(device) for label in labels]
    known = text.lower(ids) if arguments.freeze_layers else None
    autocast = lambda: torch.autocast(device.type, torch.bfloat16, enabled=arguments.precision == "bf16")

    def now():
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def step():
        marks = [now()]
        with autocast():
            images = image(pixels)
        marks.append(now())
        with autocast():
            texts = text(ids, known)
        marks.append(now())
        loss = objective(images.float() @ texts.float().T * scale.exp(), *labels)
        marks.append(now())
        optimizer.zero_grad()
        loss.backward()
        marks.append(now())
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        marks.append(now())
        return [*(after - before for before, after in zip(marks, marks[1:])), marks[-1] - marks[0]], loss.item()

    for _ in range(arguments.warmup):
        step()
    before, laps = time.process_time(), []
    for _ in range(arguments.steps):
        lap, loss = step()
        laps.append(lap)
    cpu = (time.process_time() - before) / arguments.steps
    parts = [statistics.median_high(column) for column in zip(*laps)]
    names = ["image", "text", "loss", "backward", "optimizer", "seconds"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**dict(zip(names, parts)), "cpu_seconds": cpu, "peak_mib": peak, "last_loss": loss}))


main()
