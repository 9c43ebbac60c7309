"""A Python loop that writes text with PyTorch."""

from __future__ import annotations

import torch

from benchmarks import problems
from benchmarks.torch_layers import set_threads, set_weights
from rnnapps.types import Array

__all__ = ["torch_loop"]


class TorchLoop:
    """Embedding, GRU and linear layer, one character at a time.

    Args:
        writer: sizes.
        batch: rows written at once.
        length: characters of each row.
    """

    def __init__(self, writer: problems.Writer, batch: int, length: int) -> None:
        set_threads()
        self.embedding = torch.nn.Embedding(writer.vocabulary, writer.embedding_units)
        self.gru = torch.nn.GRU(writer.embedding_units, writer.units, batch_first=True)
        self.linear = torch.nn.Linear(writer.units, writer.vocabulary)
        self.batch, self.length, self.units = batch, length, writer.units
        embeddings, *gru, kernel, bias = problems.writer_weights(writer)
        set_weights(self.gru, "gru", gru)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.from_numpy(embeddings))
            self.linear.weight.copy_(torch.from_numpy(kernel.T))
            self.linear.bias.copy_(torch.from_numpy(bias))

    @torch.inference_mode()
    def run(self) -> Array:
        """Writes all rows; ids `(batch, length)`."""
        ids, state, written = torch.zeros(self.batch, 1, dtype=torch.long), None, []
        for _ in range(self.length):
            logits, state = self._step(ids, state)
            ids = torch.multinomial(torch.softmax(logits, dim=-1), 1)
            written.append(ids)
        all_ids: Array = torch.cat(written, dim=1).numpy()
        return all_ids

    @torch.inference_mode()
    def answers(self) -> dict[str, float]:
        """The logits after some fixed ids."""
        state = None
        for token in problems.FIXED_IDS:
            logits, state = self._step(torch.full((self.batch, 1), token), state)
        return {"logits": problems.projection(logits.numpy())}

    def _step(self, ids: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `(batch, vocabulary)` after one more character, and the state."""
        hidden, state = self.gru(self.embedding(ids), state)
        return self.linear(hidden[:, -1]), state


def torch_loop(*, writer: dict[str, int], batch: int, length: int) -> TorchLoop:
    """PyTorch's loop; `writer` holds the sizes."""
    return TorchLoop(problems.Writer(**writer), batch, length)
