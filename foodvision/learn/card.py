"""Writes the model card: what the model is, how it was tested and where it fails, with the Hub's metadata."""

from pathlib import Path

import pandas as pd
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..answer.classifier import Classifier, sha256
from .data import NOT_FOOD, OTHER_FOOD
from .scores import expected_calibration_error, score_answers

TEMPLATE = Path(__file__).with_name("card_template.md")


def write_card(
    path: str | Path, classifier: Classifier, photos: pd.DataFrame, answers: pd.DataFrame, foods: list[str]
) -> None:
    """Write a compiled model's card to `path`, from a table of all `photos` and one of the test photos' `answers`."""
    metadata, scores = classifier.metadata, score_answers(answers, foods)
    named = answers[answers.label.isin(foods)]
    card = ModelCard.from_template(
        card_data(scores),
        template_str=TEMPLATE.read_text(encoding="utf-8"),
        files="\n".join(_file_row(classifier.path.with_suffix(suffix)) for suffix in (".pkl", ".onnx")),
        classes=len(classifier.vocab),
        answers=_listed(classifier.answers),
        size=classifier.preprocessing["steps"][-1]["size"][0],
        sources=_sources(photos),
        scores=markdown_table(scores),
        strangers=int((answers.label == NOT_FOOD).sum()),
        test_error=_calibration_error(answers, classifier.answers),
        food_error=_calibration_error(named, classifier.answers),
        temperature=f"{metadata['calibration']['temperature']:.2f}",
        confidence=f"{metadata['decision']['confidence']:.2f}",
        margin=f"{metadata['decision']['margin']:.2f}",
        confused=_confused(answers, foods),
        **photos.split.value_counts(),
    )
    Path(path).write_text(str(card), encoding="utf-8")


def card_data(scores: pd.DataFrame) -> ModelCardData:
    """The metadata that the Hub shows and searches: licence, task, data and accuracy."""
    accuracy = EvalResult(
        task_type="image-classification",
        dataset_type="ethz/food101",
        dataset_name="Food-101, official test photos of pizza, steak and sushi",
        dataset_split="validation",  # the Hub's name for Food-101's official test half
        metric_type="accuracy",
        metric_value=round(float(scores.rate["all: named right"]), 4),
        metric_name="named right",
    )
    return ModelCardData(
        model_name="FoodVision",
        language="en",
        license="apache-2.0",
        library_name="fastai",
        pipeline_tag="image-classification",
        tags=["food", "onnx", "fastai"],
        datasets=["ethz/food101"],
        metrics=["accuracy"],
        eval_results=[accuracy],
    )


def markdown_table(scores: pd.DataFrame) -> str:
    """The table from `score_answers` in Markdown."""
    header = "| | right | photos | rate | low | high |\n| --- | --- | --- | --- | --- | --- |\n"
    return header + "\n".join(
        f"| {claim} | {row.right:.0f} | {row.photos:.0f} | {row.rate:.1%} | {row.low:.1%} | {row.high:.1%} |"
        for claim, row in scores.iterrows()
    )


def _file_row(path: Path) -> str:
    return f"| `{path.name}` | {path.stat().st_size / 1e6:.1f} MB | `{sha256(path)}` |"


def _sources(photos: pd.DataFrame) -> str:
    counts = pd.crosstab(photos.source, photos.split)
    header = f"| source | {' | '.join(counts)} |\n| --- |{' --- |' * len(counts.columns)}\n"
    return header + "\n".join(f"| {name} | {' | '.join(map(str, row))} |" for name, row in counts.iterrows())


def _listed(names: list[str]) -> str:
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} or {last}" if others else last


def _confused(answers: pd.DataFrame, foods: list[str]) -> str:
    false_positives = answers[(answers.label == OTHER_FOOD) & answers.answer.isin(foods)]
    counts = false_positives.dish.value_counts().head(5)
    return ", ".join(f"{dish.replace('_', ' ')} ({count})" for dish, count in counts.items()) or "none"


def _calibration_error(answers: pd.DataFrame, vocab: list[str]) -> str:
    return f"{expected_calibration_error(answers[vocab], answers.label.map(vocab.index)):.3f}"
