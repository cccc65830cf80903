"""How fixtures are written."""

import json
import re


def write_json(path, value):
    """Indented JSON with each innermost array on one line."""
    text = json.dumps(value, indent=1, allow_nan=False)
    path.write_text(re.sub(r"\[[^\[\]{}]*\]", lambda m: "[" + " ".join(m[0][1:-1].split()) + "]", text) + "\n")
