"""Writes swin.safetensors, resnet.safetensors and bert.safetensors beside their .toml: random weights of very small
towers, inputs, embeddings, and the gradients of Σ direction · embeddings by every parameter. The image towers are those
of transformers and torchvision (published.py), the text tower is that of reference.py; all in double precision. Seeded:
running it again changes no byte.

    python gradients.py     # torch 2, torchvision, transformers 4 or 5, safetensors
"""

import pathlib
import tomllib

import torch
from safetensors.torch import save_file

import published
import reference
import towers

HERE = pathlib.Path(__file__).parent
DIM = 5
# Of the Swin: whole windows; odd maps, windows and merges padded; patches padded too, one window in the last stage.
IMAGE_SIDES = {"swin": [24, 26, 25, 11], "resnet": [24, 17]}
# The sides whose gradients are kept.
GRADIENT_SIDES = {"swin": [24, 25], "resnet": [17]}
# Words of the tokenizer in checkpoint/.
SENTENCES = ["the heart is normal in size .", "clear lungs", "no small left effusion"]


def gradients(embeds, direction, parameters):
    values = torch.autograd.grad((embeds * direction).sum(), list(parameters.values()))
    return dict(zip(parameters, values))


def image_cases(kind, seed):
    config = tomllib.loads((HERE / f"{kind}.toml").read_text())
    weights = published.ImageTower(config, DIM, IMAGE_SIDES[kind][0]).randomise(seed).named()
    tensors = {name: tensor.detach().clone() for name, tensor in weights.items()}
    weights = dict(tensors)
    generator = torch.Generator().manual_seed(seed)
    for side in IMAGE_SIDES[kind]:
        pixels = torch.randn(2, config["channels"], side, side, generator=generator)
        # A model for each side: SwinModel keeps the window it shrank to.
        tower = published.ImageTower(config, DIM, side).double().load(weights)
        tensors |= {f"{side}.pixel_values": pixels, f"{side}.image_embeds": tower(pixels.double())}
        if side not in GRADIENT_SIDES[kind]:
            continue
        direction = torch.randn(2, DIM, generator=generator)
        tensors[f"{side}.direction"] = direction
        for phase in ["evaluate", "train"] if kind == "resnet" else ["evaluate"]:
            tower.train(phase == "train")
            embeds = tower(pixels.double())
            parameters = {name: tensor for name, tensor in tower.named().items() if "running" not in name}
            found = gradients(embeds, direction, parameters)
            tensors |= {f"{side}.{phase}.gradient.{name}": value for name, value in found.items()}
            if phase == "train":
                tensors[f"{side}.train.image_embeds"] = embeds
                buffers = {name: tensor for name, tensor in tower.named().items() if "running" in name}
                tensors |= {f"{side}.train.after.{name}": value for name, value in buffers.items()}
    return tensors


def text_cases(seed):
    text = tomllib.loads((HERE / "bert.toml").read_text())
    architecture = tomllib.loads((HERE / "checkpoint" / "model.toml").read_text())["architecture"]
    architecture |= {"text": text, "embedding_dim": DIM}
    weights = reference.random_weights(architecture, seed)
    weights = {name: tensor for name, tensor in weights.items() if name.startswith("text_model.")}
    generator = torch.Generator().manual_seed(seed)
    rows = [[towers.VOCABULARY.index(word) for word in f"[CLS] {line} [SEP]".split()] for line in SENTENCES]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    mask = (ids != 0).long()
    direction = torch.randn(3, DIM, generator=generator)
    double = {name: tensor.double().requires_grad_() for name, tensor in weights.items()}
    tensors = weights | {"input_ids": ids, "attention_mask": mask, "direction": direction}
    for pooling in ["masked", "reference"]:
        text["pooling"] = pooling
        embeds = reference.text_embeds(double, architecture, ids, mask)
        tensors[f"{pooling}.text_embeds"] = embeds
        found = gradients(embeds, direction, double)
        tensors |= {f"{pooling}.gradient.{name}": value for name, value in found.items()}
    return tensors


def main():
    for name, tensors in [("swin", image_cases("swin", 2)), ("resnet", image_cases("resnet", 3)), ("bert", text_cases(4))]:
        kept = {
            key: value.detach().to(torch.float32 if value.is_floating_point() else value.dtype).contiguous()
            for key, value in tensors.items()
        }
        path = HERE / f"{name}.safetensors"
        save_file(kept, path)
        path.chmod(0o644)


if __name__ == "__main__":
    main()
