"""Both towers in plain torch, straight from a dictionary of weights with the names of crates/core/src/architecture.rs.

No module tree and no folding, so that it shares nothing with the exporter but the names.
"""

import math

import torch
import torch.nn.functional as F


def blocks(image):
    """Every inverted-residual block: (input, hidden, output, kernel, stride)."""
    width = image["stem"]
    for stage in image["stages"]:
        for index in range(stage["blocks"]):
            stride = stage["stride"] if index == 0 else 1
            yield width, width * stage["expand"], stage["channels"], stage["kernel"], stride
            width = stage["channels"]


def random_weights(architecture, seed):
    """Seeded weights of an architecture, scaled so that signals neither vanish nor explode."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}

    def normal(name, *shape, scale):
        weights[name] = torch.randn(*shape, generator=generator) * scale

    def uniform(name, *shape, low, high):
        weights[name] = torch.rand(*shape, generator=generator) * (high - low) + low

    def conv_norm(name, out, per_group, kernel, gain):
        normal(f"{name}.conv.weight", out, per_group, kernel, kernel, scale=gain / math.sqrt(per_group * kernel**2))
        uniform(f"{name}.bn.weight", out, low=0.5, high=1.5)
        normal(f"{name}.bn.bias", out, scale=0.3)
        normal(f"{name}.bn.running_mean", out, scale=0.3)
        uniform(f"{name}.bn.running_var", out, low=0.5, high=1.5)

    def layer_norm(name, width):
        uniform(f"{name}.weight", width, low=0.5, high=1.5)
        normal(f"{name}.bias", width, scale=0.2)

    def linear(name, out, width):
        normal(f"{name}.weight", out, width, scale=1.5 / math.sqrt(width))
        normal(f"{name}.bias", out, scale=0.2)

    image, dim = architecture["image"], architecture["embedding_dim"]
    prefix = "vision_model.model"
    conv_norm(f"{prefix}.stem", image["stem"], image["channels"], 3, 1.4)
    width = image["stem"]
    for index, (width_in, hidden, width, kernel, _) in enumerate(blocks(image)):
        if hidden != width_in:
            conv_norm(f"{prefix}.blocks.{index}.expand", hidden, width_in, 1, 1.4)
        conv_norm(f"{prefix}.blocks.{index}.depthwise", hidden, 1, kernel, 1.4)
        conv_norm(f"{prefix}.blocks.{index}.project", width, hidden, 1, 1.0)
    conv_norm(f"{prefix}.head", image["head"], width, 1, 1.4)
    normal("vision_model.projection_head.weight", dim, image["head"], scale=1 / math.sqrt(image["head"]))

    text = architecture["text"]
    prefix, width = "text_model.model", text["hidden_size"]
    for table, rows in [
        ("word", text["vocab_size"]),
        ("position", text["max_position_embeddings"]),
        ("token_type", text["type_vocab_size"]),
    ]:
        normal(f"{prefix}.embeddings.{table}_embeddings.weight", rows, width, scale=0.5)
    layer_norm(f"{prefix}.embeddings.LayerNorm", width)
    for index in range(text["num_hidden_layers"]):
        layer = f"{prefix}.encoder.layer.{index}"
        for part in ["query", "key", "value"]:
            linear(f"{layer}.attention.self.{part}", width, width)
        linear(f"{layer}.attention.output.dense", width, width)
        layer_norm(f"{layer}.attention.output.LayerNorm", width)
        linear(f"{layer}.intermediate.dense", text["intermediate_size"], width)
        linear(f"{layer}.output.dense", width, text["intermediate_size"])
        layer_norm(f"{layer}.output.LayerNorm", width)
    normal("text_model.projection_head.weight", dim, width, scale=1 / math.sqrt(width))
    if text["projection_bias"]:
        normal("text_model.projection_head.bias", dim, scale=0.2)
    weights["logit_scale"] = torch.tensor(math.log(1 / 0.07))
    return weights


def same_padded(x, kernel, stride):
    """Zeros around `x` as TensorFlow's SAME puts them."""
    pads = []
    for size in reversed(x.shape[-2:]):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def image_embeds(weights, architecture, pixels):
    """Pixels [batch, channels, side, side] to unit rows [batch, dim]."""
    image, prefix = architecture["image"], "vision_model.model"

    def conv_norm(x, name, stride=1, depthwise=False):
        weight = weights[f"{name}.conv.weight"]
        x = same_padded(x, weight.shape[-1], stride)
        x = F.conv2d(x, weight, stride=stride, groups=weight.shape[0] if depthwise else 1)
        mean, variance = weights[f"{name}.bn.running_mean"], weights[f"{name}.bn.running_var"]
        scale, bias = weights[f"{name}.bn.weight"], weights[f"{name}.bn.bias"]
        return F.batch_norm(x, mean, variance, scale, bias, training=False, eps=image["batch_norm_eps"])

    x = F.relu6(conv_norm(pixels, f"{prefix}.stem", stride=2))
    for index, (width, hidden, out, _, stride) in enumerate(blocks(image)):
        block, before = f"{prefix}.blocks.{index}", x
        if hidden != width:
            x = F.relu6(conv_norm(x, f"{block}.expand"))
        x = F.relu6(conv_norm(x, f"{block}.depthwise", stride=stride, depthwise=True))
        x = conv_norm(x, f"{block}.project")
        if stride == 1 and width == out:
            x = x + before
    x = F.relu6(conv_norm(x, f"{prefix}.head")).mean(dim=(2, 3))
    return F.normalize(x @ weights["vision_model.projection_head.weight"].T, dim=-1)


def text_embeds(weights, architecture, input_ids, attention_mask):
    """Token ids and mask [batch, sequence] to unit rows [batch, dim]."""
    text, prefix = architecture["text"], "text_model.model"
    heads, eps = text["num_attention_heads"], text["layer_norm_eps"]

    def linear(x, name):
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def layer_norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], eps)

    table = {kind: weights[f"{prefix}.embeddings.{kind}_embeddings.weight"] for kind in ["word", "position", "token_type"]}
    x = table["word"][input_ids] + table["position"][: input_ids.shape[1]] + table["token_type"][0]
    x = layer_norm(x, f"{prefix}.embeddings.LayerNorm")
    states = [x]
    hidden = (attention_mask == 0)[:, None, None, :]
    for index in range(text["num_hidden_layers"]):
        layer = f"{prefix}.encoder.layer.{index}"
        query, key, value = (
            linear(x, f"{layer}.attention.self.{part}").unflatten(-1, (heads, -1)).transpose(1, 2)
            for part in ["query", "key", "value"]
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        context = (scores.softmax(-1) @ value).transpose(1, 2).flatten(-2)
        x = layer_norm(linear(context, f"{layer}.attention.output.dense") + x, f"{layer}.attention.output.LayerNorm")
        wide = F.gelu(linear(x, f"{layer}.intermediate.dense"))
        x = layer_norm(linear(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
        states.append(x)
    x = (states[1] + states[2] + states[-1]) / 3
    if text["pooling"] == "masked":
        mask = attention_mask.to(x.dtype)[..., None]
        x = (x * mask).sum(1) / mask.sum(1)
    else:
        x = x.mean(1)
    return F.normalize(linear(x, "text_model.projection_head"), dim=-1)
