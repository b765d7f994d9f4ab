"""FoodVision's own model behind Gradio: `python foodvision_app.py`, on GRADIO_SERVER_PORT."""

import gradio as gr

from foodvision import Classifier

classifier = Classifier()


def predict(photo):
    return classifier.predict(photo).probabilities


gr.Interface(fn=predict, inputs=gr.Image(type="pil"), outputs=gr.Label()).launch()
