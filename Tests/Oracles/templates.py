"""Transformers' template environment, with the clock stopped, and what a rendering of it comes to."""

import datetime

import jinja2
from transformers.utils import chat_template_utils

NOW = datetime.datetime(2024, 7, 26, 15, 4, 5)


class StoppedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = StoppedClock


def outcome(render):
    """The text; or that an error was raised, with its message where the template itself raised it."""
    try:
        return {"text": render()}
    except jinja2.exceptions.TemplateError as error:
        # Only raise_exception raises this very class.
        return {"raised": str(error)} if type(error) is jinja2.exceptions.TemplateError else {"error": str(error)}
    except Exception as error:
        return {"error": str(error)}


def render(template, variables):
    return outcome(lambda: chat_template_utils._compile_jinja_template(template).render(**variables))


def render_chat(template, messages, **options):
    """As a tokenizer's apply_chat_template does before it encodes."""
    if options.get("continue_final_message") and options.get("add_generation_prompt"):
        return {"error": "continue_final_message and add_generation_prompt are not compatible"}

    def text():
        chat = chat_template_utils._normalize_chat_messages(messages)
        return chat_template_utils.render_jinja_template([chat], chat_template=template, **options)[0][0]

    return outcome(text)
