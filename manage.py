#!/usr/bin/env python3
"""Django's command line for the console: `./manage.py help` lists what there is."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def refuse_without(error: ModuleNotFoundError) -> NoReturn:
    sys.exit(f"{error.name} is not installed. Run `make run`, or `pip install -r requirements.txt`.")


try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ModuleNotFoundError as missing:
    refuse_without(missing)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ModuleNotFoundError as error:
        if (error.name or "console").startswith("console"):
            raise
        refuse_without(error)
    except ImproperlyConfigured as error:
        sys.exit(f"The settings are wrong: {error}")


if __name__ == "__main__":
    main()
