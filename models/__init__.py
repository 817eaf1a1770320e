"""Zero-shot stance classification: label hypotheses and texts in, scores out.

Knows nothing of Kafka, HTTP or the service. Importing it is cheap: torch and transformers load
only with a model that needs them.
"""

from models.classifier import Classifier
from models.errors import LabelsError, ModelError
from models.labels import NONE, Label, LabelSet, load_labels
from models.loading import load_classifier

__all__ = [
    "NONE",
    "Classifier",
    "Label",
    "LabelSet",
    "LabelsError",
    "ModelError",
    "load_classifier",
    "load_labels",
]
