"""Writes Tests/Fixtures/templates: what jinja2, set up as transformers sets it up, makes of small templates
(semantics.json) and of published chat templates (published/NAME.jinja → conversations.json).

    python Tests/Oracles/make_templates.py
"""

import datetime
import json
from pathlib import Path

from transformers.utils import chat_template_utils as utils

from template_cases import CONVERSATIONS, SEMANTICS, TOOLS

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "templates"
NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW.replace(tzinfo=None)


utils.datetime = Clock


def attempt(body):
    """The text, or that it failed; with the message of raise_exception where the template raised it."""
    try:
        return {"text": body()}
    except Exception as error:
        raised = type(error).__name__ == "TemplateError"
        return {"error": str(error) if raised else None}


def semantics():
    return [
        {"template": template, "variables": variables}
        | attempt(lambda: utils._compile_jinja_template(template).render(**variables))
        for template, variables in SEMANTICS
    ]


def conversations():
    cases = []
    for path in sorted((FOLDER / "published").glob("*.jinja")):
        template = path.read_text()
        for name, conversation in CONVERSATIONS.items():
            for options in ({}, {"add_generation_prompt": True}, {"continue_final_message": True}, {"tools": TOOLS}):
                if options.get("continue_final_message") and conversation[-1]["role"] != "assistant":
                    continue
                if "tools" in options and "tool" not in template:
                    continue
                tokens = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
                result = attempt(
                    lambda: utils.render_jinja_template([conversation], chat_template=template, **options, **tokens)[0][0])
                cases.append({"template": path.name, "conversation": name, "options": sorted(options)} | result)
    return cases


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0) + "\n")


def main():
    write_json(FOLDER / "semantics.json", semantics())
    write_json(FOLDER / "conversations.json", {
        "now": NOW.timestamp(), "tools": TOOLS, "conversations": CONVERSATIONS, "cases": conversations()})


if __name__ == "__main__":
    main()
