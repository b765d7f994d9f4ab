"""The app of learnpytorch.io's chapter 09, without its example photos: `python app.py`, on GRADIO_SERVER_PORT."""

import gradio as gr
from model import predict

demo = gr.Interface(
    fn=predict,
    inputs=gr.Image(type="pil"),
    outputs=[gr.Label(num_top_classes=3, label="Predictions"), gr.Number(label="Prediction time (s)")],
    title="FoodVision Mini",
    description="An EfficientNetB2 feature extractor computer vision model to classify images of food.",
    article="Created at 09. PyTorch Model Deployment.",
)

demo.launch()
