"""The model card: what the model is, how it was measured, and where it fails, from the numbers of one run."""

from pathlib import Path

from ..answer.classifier import sha256
from .evaluate import expected_calibration_error, score_answers

CARD = """# Model card: FoodVision

Written by `train.ipynb` from the numbers of the run that made these files.

| file | size | SHA-256 |
| --- | --- | --- |
{files}

## What it is

torchvision's {body}, fine-tuned with fastai. It answers {answers} for one
photo, of which it reads the middle square at {size} pixels. It is meant for trying out, not for deciding what is safe
to eat.

## Data

Food-101 (Bossard, Guillaumin and Van Gool, 2014), whose photos come from foodspotting.com and are for research use, and
pictures without food from EliSchwartz/imagenet-sample-images. None of them is in this repository. Trained on {train}
photos; the recipe, the temperature and the shares below were chosen on {valid} more of the training half; measured at
the very end on {test} photos, of which {strangers} show no food and the rest are of Food-101's official test half.
`foodvision.learn.data.list_photos` takes what is there, so the counts are of what was found.

## Recipe

{recipe}

## How good it is

On the test photos, through `export.onnx` as the page uses it; `low` to `high` is Wilson's 95 % interval.

{scores}

Expected calibration error (15 bins) over all {test} test photos: {test_error:.3f}; of the three foods alone:
{food_error:.3f}. The logits were divided by a temperature of {temperature:.2f}, fitted on the
validation photos but those that fit worst.

The rule: a food is named where the foods together have a share of
{accept}, and marked
unsure where another class is within {margin:.2f} of it, or ahead; otherwise the answer is the likelier of the two.

## Known weaknesses

- It looks at one dish in the middle of a photo: of a table full of plates it names one, or says other food.
- Dishes near its three foods get through most often. The other dishes most often taken for one of them: {confused}.
- Food-101 shows restaurant food of about 2014, mostly of North America; other kitchens' pizza and sushi are seen less.
- The pictures without food are ImageNet's, and the weights that training starts from have learnt from ImageNet: so few
  of them prove little.
- Drawings, packaging and menus were not tested.
"""


def write_card(path, classifier, photos, answers, foods, body, recipe):
    """Write the card of a compiled model to `path`: from the table of all `photos` and that of the test `answers`."""
    calibration, rule = classifier.metadata["calibration"], classifier.metadata["decision"]
    strangers = answers[(answers.label == "other_food") & answers.answer.isin(foods)]
    confused = strangers.dish.value_counts().head(5)
    fields = {
        "files": "\n".join(_file_row(classifier.path.with_suffix(suffix)) for suffix in (".pkl", ".onnx")),
        "body": body,
        "recipe": recipe,
        "answers": _listed(classifier.vocab),
        "size": classifier.preprocessing["steps"][-1]["size"][0],
        "scores": markdown_table(score_answers(answers, foods)),
        "strangers": int((answers.label == "not_food").sum()),
        "test_error": _calibration_error(answers, classifier.vocab),
        "food_error": _calibration_error(answers[answers.label.isin(foods)], classifier.vocab),
        "confused": ", ".join(f"{dish.replace('_', ' ')} ({count})" for dish, count in confused.items()) or "none",
    }
    shares = [f"{share:.2f} beside `{name}`" for name, share in rule["accept"].items()]
    rule = rule | {"accept": " and of ".join(shares)}
    Path(path).write_text(CARD.format(**photos.split.value_counts(), **fields, **rule, **calibration), encoding="utf-8")


def markdown_table(scores):
    """The table of `score_answers` in Markdown."""
    header = "| | right | photos | rate | low | high |\n| --- | --- | --- | --- | --- | --- |\n"
    return header + "\n".join(
        f"| {claim} | {row.right:.0f} | {row.photos:.0f} | {row.rate:.1%} | {row.low:.1%} | {row.high:.1%} |"
        for claim, row in scores.iterrows()
    )


def _file_row(path):
    return f"| `{path.name}` | {path.stat().st_size / 1e6:.1f} MB | `{sha256(path)}` |"


def _listed(names):
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} or {last}" if others else last


def _calibration_error(answers, vocab):
    return expected_calibration_error(answers[vocab], answers.label.map(vocab.index))
