"""A translation model's part of the report: what was dropped, attention, and BLEU by length."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.sections import Block, Gallery, Paragraph, Section, Table
from rnnapps.reports.plots.curves import Curve, plot_curves
from rnnapps.reports.plots.plot import Plot
from rnnapps.tasks.translation.attention_map import plot_attention
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits
from rnnapps.tasks.translation.decoding import GREEDY, translate
from rnnapps.tasks.translation.evaluation import translate_all
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.scores import score_translations, signatures
from rnnapps.tasks.translation.vocabularies import PairVocabularies

__all__ = ["scores_by_length", "translation_sections"]

MAPS = 3
SCORED = 1000
GROUPS = 5
LONGEST_SHOWN = 120


def translation_sections(
    network: keras.Model,
    vocabularies: PairVocabularies,
    pairs: PairSplits,
    decoding: DecodingConfig,
    *,
    lowercase: bool,
) -> list[Section]:
    """Attention maps and scores by length of validation pairs, and what the training pairs lost."""
    shown = [pair for pair in pairs.validation if len(pair.source) <= LONGEST_SHOWN][:MAPS]
    maps: list[Block] = []
    if shown:
        maps.append(Gallery([plot.picture() for plot in _maps(network, vocabularies, shown, decoding)]))
    maps.append(Paragraph("Each row shows where the decoder looked when it wrote the token on the left."))
    by_length = scores_by_length(network, vocabularies, pairs.validation[:SCORED], lowercase=lowercase)
    return [
        Section("Attention", maps),
        Section("Scores by sentence length", [_curve(by_length).picture(), by_length]),
        Section("Training pairs", [_dropped(pairs), _vocabularies(vocabularies)]),
    ]


def scores_by_length(
    network: keras.Model, vocabularies: PairVocabularies, pairs: Sequence[Pair], *, lowercase: bool
) -> Table:
    """BLEU and chrF of greedy translations, for groups of pairs of similar source length."""
    lengths = [len(pair.source.split()) for pair in pairs]
    order = np.argsort(lengths, kind="stable")
    texts = translate_all(network, vocabularies, pairs, GREEDY)
    rows = []
    for group in np.array_split(order, min(GROUPS, len(order))):
        scores = score_translations(
            [texts[number] for number in group], [[pairs[number].target] for number in group], lowercase=lowercase
        )
        words = f"{lengths[group[0]]} to {lengths[group[-1]]}"
        rows.append((words, len(group), scores["bleu"], scores["chrf"], scores["exact_match_percent"]))
    columns = ("Words of the source", "pairs", "BLEU", "chrF", "exact match, %")
    caption = f"Greedy translations of validation pairs. {signatures(lowercase=lowercase)['bleu']}"
    return Table(columns, rows, caption)


def _curve(table: Table) -> Plot:
    """BLEU over the words of the longest source of each group."""
    words = [float(str(row[0]).split()[-1]) for row in table.rows]
    bleu = [float(row[2] or 0) for row in table.rows]
    return plot_curves([Curve("BLEU", words, bleu)], x_label="words of the source, up to", y_label="BLEU")


def _maps(
    network: keras.Model, vocabularies: PairVocabularies, pairs: Sequence[Pair], decoding: DecodingConfig
) -> list[Plot]:
    """Where the decoder looked when it wrote the best translation of each pair's source."""
    sentences = tf.constant([pair.source for pair in pairs])
    beams, penalty = decoding.beam_width, decoding.length_penalty
    best = translate(network, vocabularies, sentences, beams=beams, length_penalty=penalty)
    plots = []
    for row in range(len(pairs)):
        places, written = int(best.source_lengths[row]), int(best.lengths[row, 0])
        source = [text.decode().strip() or "␣" for text in best.source_texts[row, : places - 1].numpy()]
        target = [vocabularies.target.names[number].replace("▁", "") or "␣" for number in best.ids[row, 0, :written]]
        weights = best.attention[row, : written + 1, :places].numpy()
        title = best.texts[row, 0].numpy().decode()
        plots.append(plot_attention(weights, [*source, "end"], [*target, "end"], title=title))
    return plots


def _dropped(pairs: PairSplits) -> Table:
    """How many training pairs were dropped, and why."""
    rows = [("read", pairs.read), *((f"dropped: {why}", count) for why, count in pairs.dropped.items())]
    caption = "Validation and test pairs are all kept"
    return Table(("Training pairs", "number"), [*rows, ("used", len(pairs.train))], caption)


def _vocabularies(vocabularies: PairVocabularies) -> Table:
    """How many tokens each side tells apart."""
    rows = [("source", vocabularies.source.size), ("target", vocabularies.target.size)]
    return Table(("Vocabulary", "kinds of tokens"), rows)
