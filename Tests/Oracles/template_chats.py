"""Conversations for the published templates, and how each is rendered."""

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city, \"now\" & later.\nSecond line.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City, e.g. Köln"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                    "days": {"type": "array", "items": {"type": "integer"}, "nullable": True},
                },
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}},
    },
]

DOCUMENTS = [
    {"title": "Tides", "text": "The moon pulls\nthe sea.", "doc_id": 1},
    {"title": "Köln 日本", "text": "A <city> & more.", "doc_id": 2},
]

SPECIAL_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}

SYSTEM = {"role": "system", "content": "You are terse."}
USER = {"role": "user", "content": "Hi there!"}
ASSISTANT = {"role": "assistant", "content": "Hello. How can I help?"}
AGAIN = {"role": "user", "content": "Tell me more."}

CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "call00001",
            "type": "function",
            "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": [1, 2], "unit": None}},
        }
    ],
}
CALL_TEXT = {
    "role": "assistant",
    "tool_calls": [
        {
            "id": "call00001",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Köln"}'},
        }
    ],
}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": '{"degrees": 21.5}'}

CHATS = {
    "user": {"messages": [USER]},
    "system and user": {"messages": [SYSTEM, USER]},
    "turns": {"messages": [USER, ASSISTANT, AGAIN]},
    "system and turns, answered": {"messages": [SYSTEM, USER, ASSISTANT, AGAIN, {"role": "assistant", "content": " Sure.  "}]},
    "special characters": {
        "messages": [
            {"role": "system", "content": "  \n\tspaces, <|im_end|>, {{ braces }} and {% tags %}\r\n"},
            {"role": "user", "content": "naïve ☕ 日本 👩‍👩‍👧 e\u0301 \"quotes\" 'single' \\ back\\nslash\n\n\n"},
            {"role": "assistant", "content": "</s>\u00a0\u2028<think>x</think>\n\ny"},
            {"role": "user", "content": ""},
        ]
    },
    "two users": {"messages": [USER, AGAIN]},
    "assistant first": {"messages": [ASSISTANT, USER]},
    "unknown role": {"messages": [USER, {"role": "critic", "content": "No."}]},
    "reasoning": {
        "messages": [
            USER,
            {"role": "assistant", "reasoning_content": "They greet.\nSo do I.", "content": "Hello."},
            AGAIN,
            {"role": "assistant", "thinking": "More of what?", "content": "More."},
        ]
    },
    "null content": {"messages": [USER, {"role": "assistant", "content": None}]},
    "text blocks": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "you"}]}]},
    "no messages": {"messages": []},
    "tools": {"messages": [SYSTEM, USER], "options": {"tools": TOOLS}},
    "tool call": {"messages": [USER, CALL, RESULT], "options": {"tools": TOOLS}},
    "tool call, answered": {
        "messages": [SYSTEM, USER, CALL, RESULT, {"role": "assistant", "content": "21.5 °C."}, AGAIN],
        "options": {"tools": TOOLS},
    },
    "tool call as text": {"messages": [USER, CALL_TEXT, RESULT], "options": {"tools": TOOLS}},
    "two tool calls": {
        "messages": [
            USER,
            {**CALL, "content": "Both.", "tool_calls": CALL["tool_calls"] * 2},
            RESULT,
            {**RESULT, "content": "second"},
        ],
        "options": {"tools": TOOLS[:1]},
    },
    "documents": {"messages": [USER], "options": {"documents": DOCUMENTS}},
    "thinking off": {"messages": [USER], "options": {"enable_thinking": False, "thinking": False, "reasoning_effort": "high"}},
}

OPTIONS = [
    {**SPECIAL_TOKENS, "add_generation_prompt": False},
    {**SPECIAL_TOKENS, "add_generation_prompt": True},
    {**SPECIAL_TOKENS, "add_generation_prompt": False, "continue_final_message": True},
]
