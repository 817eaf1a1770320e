"""From settings to a loaded classifier."""

from typing import TYPE_CHECKING

from models import Classifier, LabelsError, ModelError, load_classifier, load_labels
from service.errors import UsageError
from service.settings import Settings

if TYPE_CHECKING:
    from models.explain import Explainer


def load_model(settings: Settings) -> Classifier:
    """The classifier that the settings name.

    Raises:
        UsageError: it cannot be loaded, or the label set is wrong.
    """
    try:
        labels = load_labels(settings.labels_file)
        return load_classifier(settings.model, labels, threads=settings.model_threads or None)
    except (ModelError, LabelsError) as error:
        raise UsageError(str(error)) from error


def load_explainer(classifier: Classifier) -> "Explainer":
    """What explains the classifier's scores.

    Raises:
        UsageError: this kind of model cannot.
    """
    from models.explain import Explainer

    try:
        return Explainer(classifier)
    except ModelError as error:
        raise UsageError(str(error)) from error
