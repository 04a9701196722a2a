"""Writes objectives.safetensors: embeddings of random images and sentences with their label vectors, and for every
objective its value and its gradients by both embeddings and by the logit scale, in double precision. Where the
reference has the objective, its own class has to agree. Seeded: running it again changes no byte.

    pip install --no-deps medclip       # only its losses.py is loaded, which needs nothing but torch and numpy
    python objectives.py                # torch 2, safetensors
"""

import importlib.util
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

HERE = pathlib.Path(__file__).parent
FINDINGS = 14
DIM = 16
LOGIT_SCALE = 2.65926
# Images and sentences of a batch; InfoNCE wants as many of each.
SHAPES = {"square": (6, 6), "wide": (5, 8)}


def dot(left, right):
    return left @ right.T


def cosine(left, right):
    norms = left.norm(dim=1)[:, None] * right.norm(dim=1)[None, :]
    return torch.where(norms > 0, left @ right.T / norms.clamp(min=1e-12), torch.zeros(()))


def soft(similarity, temperature=1.0):
    """Targets of each row: the softmax of its similarities."""
    return lambda images, texts: torch.softmax(similarity(images, texts) / temperature, dim=1)


def hard(similarity):
    """Targets of each row: the same for all of its best matches."""

    def targets(images, texts):
        scores = similarity(images, texts)
        best = (scores >= scores.max(dim=1, keepdim=True).values - 1e-6).double()
        return best / best.sum(dim=1, keepdim=True)

    return targets


def identity(images, texts):
    return torch.eye(len(images), len(texts), dtype=torch.float64)


def matching(targets):
    """Cross-entropy of rows and of columns, averaged."""

    def direction(logits, targets):
        return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()

    def loss(logits, image_labels, text_labels):
        rows = direction(logits, targets(image_labels, text_labels))
        columns = direction(logits.T, targets(text_labels, image_labels))
        return (rows + columns) / 2

    return loss


def multi_positive(logits, image_labels, text_labels):
    """Khosla et al. 2020, equation 2, row by row; rows without a positive are left out."""

    def direction(logits, positive):
        terms = [-torch.log_softmax(row, 0)[is_positive].mean() for row, is_positive in zip(logits, positive) if is_positive.any()]
        return sum(terms) / len(terms)

    positive = dot(image_labels, text_labels) > 0
    return (direction(logits, positive) + direction(logits.T, positive.T)) / 2


def sigmoid(logits, image_labels, text_labels):
    """Zhai et al. 2023, equation 1, with the log odds of the batch as bias."""
    positive = dot(image_labels, text_labels) > 0
    bias = torch.log(positive.sum() / (~positive).sum())
    pairs = torch.nn.functional.binary_cross_entropy_with_logits(logits + bias, positive.double(), reduction="sum")
    return pairs / len(logits)


def contradiction(repulsion):
    """Row by row, over the pairs that agree or contradict alone."""

    def direction(logits, agreement):
        sides = []
        for sign in [1, -1]:
            terms = []
            for row, agrees in zip(logits, agreement):
                known = agrees != 0
                wanted = (sign * agrees[known]).clamp(min=0)
                if wanted.sum() > 0:
                    terms.append(-(wanted / wanted.sum() * torch.log_softmax(sign * row[known], 0)).sum())
            sides.append(sum(terms) / len(terms))
        return (1 - repulsion) * sides[0] + repulsion * sides[1]

    def loss(logits, image_labels, text_labels):
        agreement = dot(image_labels, text_labels) / text_labels.abs().sum(dim=1).clamp(min=1)
        return (direction(logits, agreement) + direction(logits.T, agreement.T)) / 2

    return loss


OBJECTIVES = {
    "reference": matching(soft(dot)),
    "paper": matching(soft(cosine)),
    "temperature": matching(soft(cosine, 0.1)),
    "hard_cosine": matching(hard(cosine)),
    "hard_dot": matching(hard(dot)),
    "info_nce": matching(identity),
    "multi_positive": multi_positive,
    "sigmoid": sigmoid,
    "contradiction": contradiction(0.5),
    "attraction": contradiction(0.0),
}


def reference_loss():
    """The package's `ImageTextContrastiveLoss`, without the package's own imports."""
    package = importlib.util.find_spec("medclip")
    path = pathlib.Path(package.submodule_search_locations[0]) / "losses.py"
    spec = importlib.util.spec_from_file_location("medclip_losses", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Logits(torch.nn.Module):
        def forward(self, input_ids, pixel_values, attention_mask, return_loss):
            return {"logits": pixel_values}

    criterion = module.ImageTextContrastiveLoss(Logits())
    return lambda logits, image_labels, text_labels: criterion(
        pixel_values=logits, img_labels=image_labels, text_labels=text_labels
    )["loss_value"]


def labels(count, generator):
    """Vectors in {-1, 0, 1}; the last one says nothing at all."""
    found = torch.randint(-1, 2, (count, FINDINGS), generator=generator).double()
    found[-1] = 0
    return found


def cases(shape, generator):
    images, texts = SHAPES[shape]
    image_embeds = normalize(torch.randn(images, DIM, generator=generator, dtype=torch.float64), dim=1)
    text_embeds = normalize(torch.randn(texts, DIM, generator=generator, dtype=torch.float64), dim=1)
    # The values that the file holds, so that nothing is compared at another point.
    image_embeds, text_embeds = image_embeds.float().double(), text_embeds.float().double()
    scale = torch.tensor(LOGIT_SCALE).double()
    inputs = [image_embeds.requires_grad_(), text_embeds.requires_grad_(), scale.requires_grad_()]
    image_labels, text_labels = labels(images, generator), labels(texts, generator)
    tensors = {
        "image_embeds": image_embeds,
        "text_embeds": text_embeds,
        "logit_scale": scale,
        "image_labels": image_labels,
        "text_labels": text_labels,
    }
    reference = reference_loss()
    for name, loss in OBJECTIVES.items():
        if name == "info_nce" and images != texts:
            continue
        logits = image_embeds @ text_embeds.T * scale.exp()
        value = loss(logits, image_labels, text_labels)
        gradients = torch.autograd.grad(value, inputs, retain_graph=True)
        if name == "reference":
            own = reference(logits, image_labels, text_labels)
            torch.testing.assert_close(own, value, rtol=1e-12, atol=0)
            for ours, theirs in zip(gradients, torch.autograd.grad(own, inputs)):
                torch.testing.assert_close(theirs, ours, rtol=1e-12, atol=1e-15)
        tensors[f"{name}.loss"] = value
        for part, gradient in zip(["image_embeds", "text_embeds", "logit_scale"], gradients):
            tensors[f"{name}.gradient.{part}"] = gradient
    return {f"{shape}.{name}": tensor.detach().float().contiguous() for name, tensor in tensors.items()}


def main():
    generator = torch.Generator().manual_seed(41)
    tensors = {}
    for shape in SHAPES:
        tensors |= cases(shape, generator)
    save_file(dict(sorted(tensors.items())), HERE / "objectives.safetensors")


if __name__ == "__main__":
    main()
