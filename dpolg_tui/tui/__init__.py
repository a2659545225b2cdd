"""The desk on the screen: the only package that knows Textual."""

import os

# Textual reads it when it is imported. With the Kitty protocol Windows Terminal loses AltGr, and
# with it @ and €.
os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
