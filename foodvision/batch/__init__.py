"""Photos and folders of photos to lines and tables of answers."""
