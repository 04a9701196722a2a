"""Fills import/ with small MedCLIP weights as PyTorch programs save them, and with what the reference makes of them:
Hugging Face's SwinModel and BertModel and torchvision's bottlenecks, put together as the package `medclip` does.

    python import.py        # torch 2, torchvision, transformers 5.23, safetensors

medclip_swin.bin has the names of transformers 5.23, medclip_swin_v4.bin those of transformers 4, its buffers, a wrapper
and the format before PyTorch 1.6; medclip_resnet.safetensors has a ResNet. The text tower is the same in all.
"""

import pathlib
import re

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torchvision.models.resnet import Bottleneck
from transformers import BertConfig, BertModel, SwinConfig, SwinModel

HERE = pathlib.Path(__file__).parent / "import"
DIM = 6
LENGTHS = [[5], [3, 9, 6], [12, 2, 7, 7, 30, 4, 11, 8]]
VOCABULARY = """[PAD] [UNK] [CLS] [SEP] [MASK] . , a in is of no or the and left lung lungs right small large heart size
normal enlarged clear effusion pleural opacity cardiomegaly pneumothorax there are mild severe moderate The No ##s
##ly""".split()


class Swin(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = SwinModel(
            SwinConfig(image_size=16, patch_size=2, num_channels=3, embed_dim=4, depths=[2, 2], num_heads=[1, 2],
                       window_size=2, mlp_ratio=2, drop_path_rate=0.0)
        )
        self.projection_head = torch.nn.Linear(8, DIM, bias=False)

    def forward(self, pixels):
        return self.projection_head(self.model(pixels).pooler_output)


class ResNet(torch.nn.Module):
    """torchvision's network, which has no widths to choose, narrow and short."""

    def __init__(self):
        super().__init__()
        self.model = torch.nn.Module()
        self.model.conv1 = torch.nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False)
        self.model.bn1 = torch.nn.BatchNorm2d(4)
        for index, (width_in, width, stride) in enumerate([(4, 4, 1), (16, 8, 2)], 1):
            shortcut = torch.nn.Sequential(
                torch.nn.Conv2d(width_in, 4 * width, 1, stride=stride, bias=False), torch.nn.BatchNorm2d(4 * width)
            )
            blocks = [Bottleneck(width_in, width, stride, shortcut), Bottleneck(4 * width, width)]
            setattr(self.model, f"layer{index}", torch.nn.Sequential(*blocks))
        self.model.fc = torch.nn.Linear(32, DIM, bias=False)

    def forward(self, pixels):
        model = self.model
        x = F.max_pool2d(F.relu(model.bn1(model.conv1(pixels))), 3, stride=2, padding=1)
        return model.fc(model.layer2(model.layer1(x)).mean((2, 3)))


class Bert(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = BertModel(
            BertConfig(vocab_size=len(VOCABULARY), hidden_size=8, num_hidden_layers=3, num_attention_heads=2,
                       intermediate_size=16, max_position_embeddings=40)
        )
        self.projection_head = torch.nn.Linear(8, DIM, bias=False)

    def forward(self, ids, mask, reference):
        states = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        tokens = (states[1] + states[2] + states[-1]) / 3
        if reference:
            pooled = tokens.mean(1)
        else:
            pooled = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.projection_head(pooled)


class MedClip(torch.nn.Module):
    def __init__(self, vision, text):
        super().__init__()
        self.vision_model, self.text_model = vision, text
        self.logit_scale = torch.nn.Parameter(torch.tensor(2.5))


def randomise(module, generator):
    for name, tensor in sorted(module.state_dict().items()):
        if name.endswith("running_var"):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        elif tensor.is_floating_point():
            norm = re.search(r"(?i)(norm|bn\d|downsample\.1).*weight$", name)
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.4 + (1 if norm else 0))


def v4(state):
    """The names of transformers 4."""
    old = {}
    for name, tensor in state.items():
        if name.startswith("vision_model.model.encoder"):
            for part, was in [("q_proj", "self.query"), ("k_proj", "self.key"), ("v_proj", "self.value")]:
                name = name.replace(f"attention.{part}", f"attention.{was}")
            name = name.replace("attention.o_proj", "attention.output.dense")
            name = name.replace("attention.relative_position_bias.", "attention.self.")
            name = name.replace("mlp.fc1", "intermediate.dense").replace("mlp.fc2", "output.dense")
        old[name] = tensor
    old["text_model.model.embeddings.position_ids"] = torch.arange(40).expand(1, -1)
    index = torch.zeros(4, 4, dtype=torch.int64)
    old["vision_model.model.encoder.layers.0.blocks.0.attention.self.relative_position_index"] = index
    return old


@torch.no_grad()
def main():
    HERE.mkdir(exist_ok=True)
    (HERE / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    generator = torch.Generator().manual_seed(0)
    text = Bert()
    models = {"swin": MedClip(Swin(), text).eval(), "resnet": MedClip(ResNet(), text).eval()}
    for model in models.values():
        randomise(model.vision_model, generator)
    randomise(text, generator)
    swin = models["swin"].state_dict()
    torch.save(swin, HERE / "medclip_swin.bin")
    wrapped = {"epoch": 1, "state_dict": {f"module.{name}": tensor for name, tensor in v4(swin).items()}}
    torch.save(wrapped, HERE / "medclip_swin_v4.bin", _use_new_zipfile_serialization=False)
    save_file(models["resnet"].state_dict(), HERE / "medclip_resnet.safetensors")

    pixels = torch.randn(3, 3, 16, 16, generator=generator)
    expected = {"pixel_values": pixels}
    for name, model in models.items():
        expected[f"image_embeds.{name}"] = F.normalize(model.vision_model(pixels), dim=-1)
    for index, lengths in enumerate(LENGTHS):
        mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
        ids = torch.randint(1, len(VOCABULARY), mask.shape, generator=generator) * mask
        expected[f"{index}.input_ids"], expected[f"{index}.attention_mask"] = ids, mask
        for mode in ["paper", "reference"]:
            embeds = F.normalize(text(ids, mask, mode == "reference"), dim=-1)
            expected[f"{index}.text_embeds.{mode}"] = embeds
    save_file(expected, HERE / "expected.safetensors")


if __name__ == "__main__":
    main()
