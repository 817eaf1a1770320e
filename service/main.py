"""The module that `faust -A service.main worker` imports."""

import sys

from service.app import create_app
from service.errors import FatalError
from service.settings import load_settings

try:
    app = create_app(load_settings())
except FatalError as error:
    sys.stderr.write(f"stancewire: {error}\n")
    raise SystemExit(error.exit_code) from None
