"""Writes Tests/Fixtures/templates: what transformers makes of small templates and of the published ones.

    python Tests/Oracles/make_templates.py
"""

import json
from pathlib import Path

import templates
from template_cases import EXPRESSIONS, TEMPLATES, VARIABLES
from template_chats import CHATS, OPTIONS

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "templates"


def write(name, value):
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def semantics():
    sources = ["{{ " + expression + " }}" for expression in EXPRESSIONS] + TEMPLATES
    return {
        "variables": VARIABLES,
        "cases": [{"template": source, **templates.render(source, VARIABLES)} for source in sources],
    }


def published(path):
    template = path.read_bytes().decode()
    return [
        {"chat": name, "option": index, **templates.render_chat(template, chat["messages"], **chat.get("options", {}), **option)}
        for name, chat in CHATS.items()
        for index, option in enumerate(OPTIONS)
    ]


def main():
    write("semantics.json", semantics())
    write("chats.json", {"chats": CHATS, "options": OPTIONS})
    for path in sorted((FOLDER / "published").glob("*.jinja")):
        write(f"published/{path.stem}.json", published(path))


main()
