"""The optimisation loop: batches by length, schedule, progress, checkpoints to go on from.

Everything random is drawn from (seed, step), so a run that was interrupted and goes on takes the
same steps as one that was not.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from models.training.network import StanceNetwork

CHECKPOINT_STEPS = 100
_BUCKET_BATCHES = 20
"""Batches are cut from this many shuffled batches' worth of texts, sorted by length."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to learn; rates are AdamW's peaks, warmed up, then linear to zero."""

    epochs: int
    batch: int = 32
    encoder_rate: float = 5e-5
    head_rate: float = 1e-3
    warm_up: float = 0.1
    weight_decay: float = 0.01
    seed: int = 17


def train(
    name: str,
    network: StanceNetwork,
    lengths: Sequence[int],
    loss_of: Callable[[list[int], random.Random], Tensor],
    recipe: Recipe,
    folder: Path,
) -> None:
    """Train `network` in place on items 0..len(lengths)-1.

    `lengths` are the items' lengths, in tokens; `loss_of` gets the items of a step and its
    source of randomness. Checkpoints lie in `folder` as `<name>.checkpoint`; one that is there is
    gone on from.
    """
    steps = schedule(lengths, recipe)
    optimizer = _optimizer(network, recipe)
    checkpoint = folder / f"{name}.checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    first = _resume(checkpoint, network, optimizer)
    network.train()
    with _Shown(name, first, len(steps)) as shown:
        for step in range(first, len(steps)):
            _set_rates(optimizer, recipe, step / len(steps))
            torch.manual_seed(recipe.seed * 1_000_003 + step)
            loss = loss_of(steps[step], random.Random(f"{recipe.seed}/{step}"))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            shown.advance(loss.item())
            if (step + 1) % CHECKPOINT_STEPS == 0:
                _save(checkpoint, network, optimizer, step + 1)
                shown.note()
    checkpoint.unlink(missing_ok=True)
    network.eval()


def schedule(lengths: Sequence[int], recipe: Recipe) -> list[list[int]]:
    """The items of every step: each item once an epoch, items of like length together."""
    steps = []
    for epoch in range(recipe.epochs):
        rng = random.Random(f"{recipe.seed}/epoch {epoch}")
        order = rng.sample(range(len(lengths)), len(lengths))
        bucket = recipe.batch * _BUCKET_BATCHES
        batches = []
        for start in range(0, len(order), bucket):
            part = sorted(order[start : start + bucket], key=lambda i: lengths[i])
            batches += [part[i : i + recipe.batch] for i in range(0, len(part), recipe.batch)]
        rng.shuffle(batches)
        steps += batches
    return steps


class _Shown:
    """Progress: a bar on a terminal, elsewhere a line whenever `note` is called."""

    def __init__(self, name: str, first: int, steps: int) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            "{task.description}",
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=self._console,
        )
        self._task = self._progress.add_task(name, total=steps, completed=first, loss="")
        self._name, self._first, self._done, self._steps = name, first, first, steps
        self._mean = 0.0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, loss: float) -> None:
        """One step more, with its loss; a moving mean is shown."""
        self._done += 1
        self._mean += (loss - self._mean) * max(0.02, 1 / (self._done - self._first))
        self._progress.update(self._task, advance=1, loss=f"loss {self._mean:.3f}")

    def note(self) -> None:
        """Where it stands, and how long it will take at the rate so far."""
        if self._console.is_terminal:
            return
        rate = (self._done - self._first) / (time.monotonic() - self._started)
        left = (self._steps - self._done) / rate / 60
        self._console.print(
            f"{self._name} {self._done}/{self._steps} loss {self._mean:.3f} {left:.1f} min left"
        )


def _optimizer(network: StanceNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": encoder, "peak": recipe.encoder_rate},
        {"params": list(network.head.parameters()), "peak": recipe.head_rate},
    ]
    return torch.optim.AdamW(groups, lr=0.0, weight_decay=recipe.weight_decay, fused=True)


def _set_rates(optimizer: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    share = done / recipe.warm_up if done < recipe.warm_up else (1 - done) / (1 - recipe.warm_up)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share


def _save(path: Path, network: StanceNetwork, optimizer: torch.optim.Optimizer, step: int) -> None:
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, network: StanceNetwork, optimizer: torch.optim.Optimizer) -> int:
    """The step to go on with; 0 without a checkpoint."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=network.device)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
