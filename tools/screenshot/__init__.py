"""Pictures of the screens of a generated house: ``python tools/screenshot docs/screenshot.svg``."""
