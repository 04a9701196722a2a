"""Fills checkpoint/ (beside its model.toml: random weights of two very small towers and a tokenizer) and writes
towers.safetensors (inputs with the embeddings that reference.py gives in double precision). Seeded: running it again
changes no byte.

    python towers.py        # torch 2, numpy, safetensors
"""

import json
import pathlib
import tomllib

import torch
from safetensors.torch import save_file

import reference

HERE = pathlib.Path(__file__).parent
IMAGE_SIDES = [32, 33, 47]
# Lengths of the sentences of a batch, padded to the longest.
TEXT_BATCHES = [[2], [7], [5, 9, 3], [16, 2, 11, 16, 7, 3, 4, 13], [24]]

VOCABULARY = """[PAD] [UNK] [CLS] [SEP] . , a in is of no or the and left lung lungs right small large heart size normal
enlarged clear effusion pleural ##s ##ly""".split()


def tokenizer():
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: index for index, token in enumerate(VOCABULARY)},
        },
    }


def main():
    model = tomllib.loads((HERE / "checkpoint" / "model.toml").read_text())
    architecture = model["architecture"]
    weights = reference.random_weights(architecture, seed=0)
    save_file(weights, HERE / "checkpoint" / "weights.safetensors")
    (HERE / "checkpoint" / "tokenizer.json").write_text(json.dumps(tokenizer(), indent=1) + "\n")

    double = {name: tensor.double() for name, tensor in weights.items()}
    generator = torch.Generator().manual_seed(1)
    cases = {}
    for side in IMAGE_SIDES:
        pixels = torch.randn(3, architecture["image"]["channels"], side, side, generator=generator)
        cases[f"image.{side}.pixel_values"] = pixels
        cases[f"image.{side}.image_embeds"] = reference.image_embeds(double, architecture, pixels.double()).float()
    for index, lengths in enumerate(TEXT_BATCHES):
        shape = (len(lengths), max(lengths))
        mask = (torch.arange(shape[1]) < torch.tensor(lengths)[:, None]).long()
        ids = torch.randint(1, architecture["text"]["vocab_size"], shape, generator=generator) * mask
        cases[f"text.{index}.input_ids"] = ids
        cases[f"text.{index}.attention_mask"] = mask
        for pooling in ["masked", "reference"]:
            architecture["text"]["pooling"] = pooling
            embeds = reference.text_embeds(double, architecture, ids, mask).float()
            cases[f"text.{index}.text_embeds.{pooling}"] = embeds
    save_file(cases, HERE / "towers.safetensors")


if __name__ == "__main__":
    main()
