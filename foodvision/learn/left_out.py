"""Placeholders for the parts of a pickle that are never created, and the error if one of them is needed."""

MAX_SHOWN = 12  # unknown names in a message; a file can have any number


class UnknownNames(ValueError):
    """A pickle needs more than the parts of a fastai image classifier: `names` lists them."""

    def __init__(self, names):
        self.names = sorted(names)
        shown = [ascii(name)[1:-1][:80] for name in self.names[:MAX_SHOWN]] + ["and more"] * (
            len(self.names) > MAX_SHOWN
        )
        super().__init__(
            f"It needs more than the parts of a fastai image classifier, which could do anything: {', '.join(shown)}. "
            "If you trust this file, add --trust (in Python, trust=True); "
            "where it was trained, compile_learner(learner) needs no pickle."
        )


class LeftOut:
    """Placeholder for a function, class or object that isn't created.

    Whatever the file says about it is dropped. Calling it or getting an attribute raises UnknownNames.
    """

    def __init__(self, name: object, described: str = "{}"):
        self.__name__ = self.__qualname__ = str(name)
        self.described = described.format(name)

    def __call__(self, *arguments, **keywords):
        raise UnknownNames([self.described])

    def __getattr__(self, name):
        if name.startswith("__"):  # Python looks for special methods
            raise AttributeError(name)
        raise UnknownNames([self.described])

    def __setstate__(self, state):
        pass

    append = extend = add = __setstate__

    def remove(self) -> None:
        """Hooks call this when their model is deleted."""

    def __setitem__(self, key, value):
        pass


def describe_call(maker: object) -> str:
    """The name of what a pickle calls, for UnknownNames."""
    if isinstance(maker, LeftOut):
        return maker.described
    return f"a call of {getattr(maker, '__qualname__', type(maker).__qualname__)}"
