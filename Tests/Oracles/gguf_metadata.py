"""The metadata of a GGUF file as plain values; reads vocabularies of hundreds of thousands of tokens in a second."""

import struct

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


def read(path, prefix=""):
    """The values whose keys start with `prefix`, by key."""
    with open(path, "rb") as file:
        data = file.read(64 << 20)
    if data[:4] != b"GGUF":
        raise ValueError(f"{path}: no GGUF file")
    position = 4

    def number(code):
        nonlocal position
        position += struct.calcsize(code)
        return struct.unpack_from("<" + code, data, position - struct.calcsize(code))[0]

    def string():
        nonlocal position
        length = number("Q")
        position += length
        return data[position - length:position].decode("utf-8")

    def value(kind):
        nonlocal position
        if kind == STRING:
            return string()
        if kind != ARRAY:
            return number(NUMBERS[kind])
        element, count = number("I"), number("Q")
        if element in NUMBERS:
            code = f"<{count}{NUMBERS[element]}"
            position += struct.calcsize(code)
            return list(struct.unpack_from(code, data, position - struct.calcsize(code)))
        return [value(element) for _ in range(count)]

    number("I")
    number("Q")
    pairs = {}
    for _ in range(number("Q")):
        key = string()
        pairs[key] = value(number("I"))
    return {key: value for key, value in pairs.items() if key.startswith(prefix)}
