"""Folders of photos to tables of answers."""
