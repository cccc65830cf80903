"""Writes Tests/Fixtures/templates/trained: which tokens of a conversation are trained on, template by template.

    python Tests/Oracles/make_conversations.py [--trl FOLDER]

A row has a prompt and a response of chat messages. Its text is transformers' rendering of both. The assistant's turns are
found in that text by the marks that its family of models sets around them, which stand in the table below and nowhere in the
engine. A turn is trained on where the text shows all that the model would have said: a
template that leaves the thoughts out of earlier turns (Qwen3, gpt-oss) makes those context. With --trl, the folder `chat_templates` of TRL,
the turns are also compared with the generation blocks of TRL's training templates, where they render the same text.
"""

import argparse
import json
import re
from pathlib import Path

import templates
from tokenizers import Tokenizer
from transformers.utils import chat_template_utils

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
PUBLISHED = FIXTURES / "templates" / "published"
TRAINED = FIXTURES / "templates" / "trained"

CHATML = r"<\|im_start\|>assistant\n(.*?<\|im_end\|>)"
LLAMA = r"<\|start_header_id\|>assistant<\|end_header_id\|>\n\n(.*?<\|(?:eot_id|eom_id)\|>)"
GRANITE = r"<\|start_of_role\|>assistant<\|end_of_role\|>(.*?<\|end_of_text\|>)"
KIMI = r"<\|im_assistant\|>assistant<\|im_middle\|>(.*?<\|im_end\|>)"
MISTRAL = r"\[/(?:INST|TOOL_RESULTS)\](?!\[TOOL_RESULTS\]| \[TOOL_RESULTS\])(.*?</s>)"
GEMMA = r"<start_of_turn>model\n(.*?<end_of_turn>)"
PHI3 = r"<\|assistant\|>\n(.*?<\|end\|>)"
DEEPSEEK = r"(?:<｜Assistant｜>|<｜tool▁outputs▁end｜>|<｜tool▁output▁end｜>(?!<｜tool))(.*?<｜end▁of▁sentence｜>)"
# A turn may be several messages: thoughts, then an answer or a call.
GPT_OSS = r"<\|start\|>assistant((?:(?!<\|start\|>(?!assistant)).)*?(?:<\|return\|>|<\|call\|>|<\|end\|>(?!<\|start\|>assistant)))"

EMPTY_THOUGHT = "<think>\n\n</think>\n\n"

# The turns of the assistant, and the template of TRL's with generation blocks.
FAMILIES = {
    "deepseek-v2": (r"Assistant:(.*?</s>)", None),
    "deepseek-v3": (DEEPSEEK, "deepseekv3"),
    "deepseek-v3.1": (DEEPSEEK, None),
    "gemma-2": (GEMMA, "gemma"),
    "gemma-3": (GEMMA, "gemma3"),
    "gpt-oss": (GPT_OSS, "gptoss"),
    "granite-3.1": (GRANITE, None),
    "granite-3.3": (GRANITE, None),
    "granite-4.0": (GRANITE, None),
    "kimi-k2": (KIMI, None),
    "kimi-vl-a3b": (KIMI, None),
    "llama-3.1": (LLAMA, "llama3"),
    "llama-3.2": (LLAMA, "llama3"),
    "llama-3.3": (LLAMA, "llama3"),
    "mistral-7b-v0.3": (MISTRAL, None),
    "mistral-nemo": (MISTRAL, None),
    "mistral-small-3.2": (MISTRAL, None),
    "mixtral-8x7b": (MISTRAL, None),
    "moonlight": (KIMI, None),
    "olmo-2": (r"<\|assistant\|>\n(.*?</s>)", None),
    "phi-3-mini": (PHI3, "phi3"),
    "phi-3.5-mini": (PHI3, "phi3_5"),
    "phi-4": (r"<\|im_start\|>assistant<\|im_sep\|>(.*?<\|im_end\|>)", None),
    "qwen2.5": (CHATML, "qwen2_5"),
    "qwen3": (CHATML, "qwen3"),
    "qwen3-8b": (CHATML, "qwen3"),
    "smollm2": (CHATML, None),
    "smollm3": (CHATML, None),
}

SPECIAL = """<s> </s> <|im_start|> <|im_end|> <|im_middle|> <|im_user|> <|im_assistant|> <|im_system|> <|im_sep|> <|eot_id|> <|eom_id|>
<|python_tag|> <|start_header_id|> <|end_header_id|> <start_of_turn> <end_of_turn> <|start|> <|channel|> <|message|> <|constrain|> <|call|>
<|return|> <|end|> <|start_of_role|> <|end_of_role|> <|end_of_text|> [INST] [/INST] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CALLS]
[AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CONTENT] [CALL_ID] [ARGS] <|user|> <|assistant|> <|system|>
<｜User｜> <｜Assistant｜> <｜end▁of▁sentence｜> <｜tool▁calls▁begin｜> <｜tool▁calls▁end｜> <｜tool▁call▁begin｜> <｜tool▁call▁end｜> <｜tool▁sep｜>
<｜tool▁outputs▁begin｜> <｜tool▁outputs▁end｜> <｜tool▁output▁begin｜> <｜tool▁output▁end｜> <|tool_calls_section_begin|>
<|tool_calls_section_end|> <|tool_call_begin|> <|tool_call_end|> <|tool_call_argument_begin|>""".split()

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello!"}
MORE = {"role": "user", "content": "And 2 + 3?"}
FIVE = {"role": "assistant", "content": "It is 5."}
THANKS = {"role": "user", "content": "Thanks"}
BYE = {"role": "assistant", "content": "Bye."}
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer", "description": "One"}}, "required": ["a"]},
    },
}


def call(content):
    function = {"name": "add", "arguments": {"a": 2}}
    return {"role": "assistant", "content": content, "tool_calls": [{"id": "call00001", "type": "function", "function": function}]}


RESULT = {"role": "tool", "name": "add", "tool_call_id": "call00001", "content": "5"}
THOUGHT = {"role": "assistant", "reasoning_content": "A greeting.", "content": "Hello!"}
SUM = {"role": "assistant", "reasoning_content": "2 + 3 = 5.", "content": "It is 5."}

CASES = {
    "one answer": {"prompt": [USER], "response": [ANSWER]},
    "system, one answer": {"prompt": [SYSTEM, USER], "response": [ANSWER]},
    "history": {"prompt": [USER, ANSWER, MORE], "response": [FIVE]},
    "two answers": {"prompt": [USER], "response": [ANSWER, MORE, FIVE]},
    "system, three answers": {"prompt": [SYSTEM, USER], "response": [ANSWER, MORE, FIVE, THANKS, BYE]},
    "what follows the last answer": {"prompt": [USER], "response": [ANSWER, MORE]},
    "white space and scripts": {"prompt": [{"role": "user", "content": " \tnaïve ☕\n"}],
                                "response": [{"role": "assistant", "content": "Köln, 日本 👩‍👩‍👧\n\n  x \"y\"\\n{{ z }}"}]},
    "white space around": {"prompt": [USER], "response": [{"role": "assistant", "content": "\n Sure. \n"}]},
    "marks of other families": {"prompt": [USER], "response": [{"role": "assistant", "content": "a <|turn|> [inst] <|IM_END|> b"}]},
    "tool call": {"prompt": [USER, MORE][1:], "response": [call("")], "tools": [TOOL]},
    "tool call, answered": {"prompt": [SYSTEM, MORE], "response": [call(""), RESULT, FIVE], "tools": [TOOL]},
    "tool call in the prompt": {"prompt": [MORE, call(""), RESULT], "response": [FIVE], "tools": [TOOL]},
    "tool call, words, two users": {"prompt": [MORE], "response": [call("I add."), RESULT, FIVE, THANKS, BYE], "tools": [TOOL]},
    "reasoning": {"prompt": [USER], "response": [THOUGHT]},
    "reasoning, two answers": {"prompt": [USER], "response": [THOUGHT, MORE, SUM]},
    "reasoning in the prompt": {"prompt": [USER, THOUGHT, MORE], "response": [SUM]},
    "reasoning, tool call": {"prompt": [MORE], "response": [{**call(""), "reasoning_content": "I add."}, RESULT, SUM], "tools": [TOOL]},
    "thinking off": {"prompt": [USER], "response": [ANSWER], "variables": {"enable_thinking": False, "thinking": False}},
    "thinking off, two answers": {"prompt": [USER], "response": [ANSWER, MORE, FIVE],
                                  "variables": {"enable_thinking": False, "thinking": False}},
}


def load(name):
    tokenizer = Tokenizer.from_file(str(FIXTURES / "tokenizers" / name / "tokenizer.json"))
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def encoder():
    tokenizer = load("gpt2")
    return lambda text: tokenizer.encode(text, add_special_tokens=False).tokens


def in_one_piece(template, marks):
    """The tokens of whole texts, with a tokenizer that writes the beginning of a text otherwise than the rest of it."""
    tokenizer = load("spm-bpe-first")
    golden = {}
    for title in ("one answer", "two answers", "system, one answer", "white space around"):
        prompt, pieces, _ = trained(template, marks, CASES[title])
        said, place = [], len(prompt)
        for piece, is_said in pieces:
            said += [is_said] * len(piece)
        encoding = tokenizer.encode(prompt + "".join(piece for piece, _ in pieces), add_special_tokens=False)
        rows = list(zip(encoding.tokens, (start for start, _ in encoding.offsets)))
        golden[title] = {
            "prompt": " ".join(token for token, start in rows if start < place),
            "response": " ".join(("+" if said[start - place] else "-") + token for token, start in rows if start >= place)}
        assert golden[title]["prompt"] == " ".join(tokenizer.encode(prompt, add_special_tokens=False).tokens)
    return golden


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class Refused(Exception):
    """The template raised an exception, or does not continue the prompt."""


def trained(template, marks, case):
    """The prompt, and the pieces after it with whether they are trained on."""
    options = {"tools": case.get("tools"), **case.get("variables", {})}

    def render(messages, prompt=False):
        outcome = templates.render_chat(template, messages, bos_token="<s>", eos_token="</s>", add_generation_prompt=prompt, **options)
        if "text" not in outcome:
            raise Refused(outcome)
        return outcome["text"]

    def turns(text):
        return [match.span(1) for match in re.finditer(marks, text, re.S)]

    def turn(index):
        """The rendering up to a turn; where it begins behind the assistant's mark, and behind its prompt; and its end."""
        then, asked = render(messages[:index + 1]), render(messages[:index], prompt=True)
        mark, end = turns(then)[-1]
        # What the prompt itself says of the turn, as an empty thought, is not the model's.
        start = max(mark, len(asked)) if then.startswith(asked) else mark
        assert mark <= start <= end, (then, asked)
        return then, mark, start, end

    history, response = case["prompt"], case["response"]
    while response[-1]["role"] != "assistant":
        response = response[:-1]
    messages = history + response
    prompt = render(history, prompt=True)
    if len(response) == 1:
        then, _, start, end = turn(len(messages) - 1)
        return prompt, [(then[start:end], True)], then
    text = render(messages)
    if not text.startswith(prompt) and not text.startswith(prompt.removesuffix(EMPTY_THOUGHT)):
        raise Refused("the text does not begin with the prompt")
    spans = turns(text)
    assert len(spans) == sum(message["role"] == "assistant" for message in messages), text
    pieces, place = [], len(prompt if text.startswith(prompt) else prompt.removesuffix(EMPTY_THOUGHT))
    for index in range(len(history), len(messages)):
        if messages[index]["role"] != "assistant":
            continue
        then, mark, start, end = turn(index)
        first, last = spans[sum(message["role"] == "assistant" for message in messages[:index])]
        said, shown = then[start:end], text[first:last]
        if index < len(messages) - 1:
            if then[:mark] != text[:first]:
                continue
            shown = shown if start == mark else shown.removeprefix(then[mark:start])
            closing = re.compile(r"<[^<>]*>$")
            if shown == said or EMPTY_THOUGHT + shown == said:
                end = last
            elif closing.sub("", shown) in (closing.sub("", said), closing.sub("", said).removeprefix(EMPTY_THOUGHT)):
                # An earlier turn that ends otherwise than the model would end it.
                shown = closing.sub("", shown)
                end = last - len(closing.search(text[first:last])[0])
            else:
                continue
            first = end - len(shown)
        else:
            first, end = last - len(said), last
            assert text[first:] .startswith(said)
        pieces += [(text[place:first], False), (text[first:end], True)]
        place = end
    return prompt, [piece for piece in pieces if piece[0]], text


def compare(folder, name, case, prompt, pieces, text):
    """Checks the turns with TRL's generation blocks; whether its template writes the same text."""
    template = (folder / f"{name}_training.jinja").read_text()
    try:
        texts, spans = chat_template_utils.render_jinja_template(
            [chat_template_utils._normalize_chat_messages(case["prompt"] + case["response"])], chat_template=template, tools=case.get("tools"),
            return_assistant_tokens_mask=True, bos_token="<s>", eos_token="</s>", **case.get("variables", {}))
    except Exception:
        return False
    if texts[0] != text:
        return False
    marked = {i for start, end in spans[0] for i in range(start, end) if i >= len(prompt) and not text[i].isspace()}
    place, own, context = len(prompt), set(), set()
    for piece, said in pieces:
        own |= {i for i in range(place, place + len(piece)) if said and not text[i].isspace()}
        place += len(piece)
    return "equal" if own == marked else f"differs: {''.join(text[i] for i in sorted(own ^ marked))!r}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trl", type=Path)
    arguments = parser.parse_args()
    encode = encoder()
    TRAINED.mkdir(exist_ok=True)
    write(TRAINED / "cases.json", {"special": SPECIAL, "cases": CASES})
    names = sorted(path.stem for path in PUBLISHED.glob("*.jinja"))
    assert names == sorted(FAMILIES), set(names) ^ set(FAMILIES)
    for name in names:
        marks, other = FAMILIES[name]
        template = (PUBLISHED / f"{name}.jinja").read_bytes().decode()
        golden = {}
        for title, case in CASES.items():
            if "tools" in case and "tool" not in template:
                continue
            try:
                prompt, pieces, text = trained(template, marks, case)
            except Refused as error:
                golden[title] = None
                print(f"{name}, {title}: refused: {str(error)[:100]}")
                continue
            tokens = [sign + token for piece, said in pieces for sign, token in zip(["-", "+"][said] * 10000, encode(piece))]
            golden[title] = {"prompt": " ".join(encode(prompt)), "response": " ".join(tokens)}
            if sum(said for _, said in pieces) != sum(m["role"] == "assistant" for m in case["response"]):
                print(f"{name}, {title}: {pieces}")
            if arguments.trl and other:
                print(f"{name}, {title}, TRL: {compare(arguments.trl, other, case, prompt, pieces, text)}")
        write(TRAINED / f"{name}.json", golden)
        if name == "llama-3.1":
            write(TRAINED.parent / "in_one_piece.json", in_one_piece(template, marks))


main()
