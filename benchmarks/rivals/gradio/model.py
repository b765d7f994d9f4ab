"""The model of learnpytorch.io's chapter 09: EfficientNet-B2 with a new head, and its transforms."""

from timeit import default_timer as timer

import torch
import torchvision
from torch import nn

CLASS_NAMES = ["pizza", "steak", "sushi"]


def create_effnetb2_model(num_classes=3, seed=42):
    """As in the course, except that the body's weights are random instead of downloaded; they take as long to run."""
    transforms = torchvision.models.EfficientNet_B2_Weights.DEFAULT.transforms()
    model = torchvision.models.efficientnet_b2(weights=None)
    for parameter in model.parameters():
        parameter.requires_grad = False
    torch.manual_seed(seed)
    model.classifier = nn.Sequential(
        nn.Dropout(p=0.3, inplace=True), nn.Linear(in_features=1408, out_features=num_classes)
    )
    return model, transforms


effnetb2, effnetb2_transforms = create_effnetb2_model(len(CLASS_NAMES))


def predict(img):
    """In the course this is in app.py; here, it can be timed without Gradio."""
    start_time = timer()
    img = effnetb2_transforms(img).unsqueeze(0)
    effnetb2.eval()
    with torch.inference_mode():
        pred_probs = torch.softmax(effnetb2(img), dim=1)
    pred_labels_and_probs = {name: float(pred_probs[0][i]) for i, name in enumerate(CLASS_NAMES)}
    return pred_labels_and_probs, round(timer() - start_time, 5)
