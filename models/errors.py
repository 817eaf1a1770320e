"""What can go wrong in this package. Each message is one line for the person who can fix it."""


class LabelsError(Exception):
    """A label file or label set is wrong; names the file and the field."""


class ModelError(Exception):
    """A model cannot be loaded; names the model, what is wrong with it and what to do."""
