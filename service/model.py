"""From settings to a loaded classifier."""

from models import Classifier, LabelsError, ModelError, load_classifier, load_labels
from service.errors import UsageError
from service.settings import Settings


def load_model(settings: Settings) -> Classifier:
    """The classifier that the settings name.

    Raises:
        UsageError: it cannot be loaded, or the label set is wrong.
    """
    try:
        labels = load_labels(settings.labels_file)
        return load_classifier(
            settings.model,
            labels,
            threads=settings.model_threads or None,
            batch_size=settings.batch_quotes,
        )
    except (ModelError, LabelsError) as error:
        raise UsageError(str(error)) from error
