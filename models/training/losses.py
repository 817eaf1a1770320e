"""What a step minimises. All take logits of (texts, hypotheses)."""

import torch
from torch import Tensor, nn

LISTWISE_WEIGHT = 0.5
GOLD_WEIGHT = 0.3


def gold_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Each pair for itself, and each pair that holds against the ones of its text that do not."""
    pairwise = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return _mean(pairwise, weight) + LISTWISE_WEIGHT * _listwise(logits, target, weight)


def teacher_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    """How far the student's probabilities are from the teacher's (Hinton et al. 2015, T = 1)."""
    soft = torch.sigmoid(teacher)
    distance = nn.functional.binary_cross_entropy_with_logits(logits, soft)
    entropy = nn.functional.binary_cross_entropy(soft, soft)
    return distance - entropy


def direction_loss(vectors: Tensor, teacher: Tensor) -> Tensor:
    """One minus the cosine between the student's vectors and the teacher's, mean."""
    return 1 - nn.functional.cosine_similarity(vectors, teacher, dim=1).mean()


def _listwise(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    wrong = (target == 0) & (weight > 0)
    against = logits.masked_fill(~wrong, -torch.inf).logsumexp(dim=1, keepdim=True)
    loss = nn.functional.softplus(against - logits)
    return _mean(loss, (target > 0) & (weight > 0) & wrong.any(dim=1, keepdim=True))


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    weight = weight.to(values.dtype)
    values = torch.where(weight > 0, values, 0.0)
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)
