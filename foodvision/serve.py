"""`python -m foodvision.serve foodvision.ipynb`: `voila foodvision.ipynb`, whose answers are compressed."""

from voila.app import Voila


class FoodVision(Voila):
    """Voilà takes `tornado_settings` too late for this one, which is a third of the time to open on a phone."""

    def init_settings(self):
        return super().init_settings() | {"compress_response": True}


if __name__ == "__main__":
    FoodVision.launch_instance()
