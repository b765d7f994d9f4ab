"""The settings of the plain `voila` command that voila.json can't hold; `foodvision serve` needs none of them."""

from traitlets.config import get_config

from foodvision.page.embedding import allow_frames_in_voila

c = get_config()
c.VoilaConfiguration.page_config_hook = allow_frames_in_voila
