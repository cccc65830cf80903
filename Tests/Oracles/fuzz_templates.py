"""Compares Sources/Templates with jinja2, set up as transformers sets it up, on random templates.

    pip install -r requirements.txt && python fuzz_templates.py PATH/TO/grao-run [--count 20000] [--seed 1]

Half of the templates are random programs, half are cases of template_cases.py with parts exchanged. Texts must be equal;
where jinja2 fails, so must the engine, and with raise_exception's words where those are the reason. What is wider in
Python by design (numbers beyond 64 bits, choices by chance) is counted apart, by the engine's own words.
"""

import argparse
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile

import templates
from template_cases import EXPRESSIONS, TEMPLATES, VARIABLES

LUA = """
local grao = require "grao"
local model = grao.new {
  config = { model_type = "llama", vocab_size = 80, hidden_size = 8, intermediate_size = 8, num_hidden_layers = 1,
    num_attention_heads = 1 },
  tokenizer = arg[1] }
local out = assert(io.open(arg[3], "w"))
for line in io.lines(arg[2]) do
  local ok, text = pcall(model.tokenizer.chat, model.tokenizer, {}, { template = grao.json.decode(line) })
  text = ok and text or tostring(text):gsub("^[^\\n]-: (template:)", "%1"):gsub("\\n.*", "")
  out:write(grao.json.encode { ok = ok, text = text }, "\\n")
end
out:close()
"""

# Words of errors that are no mismatch where jinja2 has an answer.
# jinja2 folds constants by other rules than it evaluates, and Python takes some arguments of a wrong type by chance.
BY_DESIGN = re.compile(
    r"subscriptable by a slice|slice indices must be|linecount must be an integer|width must be an integer|indent must be an integer|map requires a filter|"
    r"complex numbers|'LoopContext' is not iterable|too large|is not supported in chat templates|more than \d+ bytes|steps|a width of more|too deep")
# What depends on the process, or is not text in jinja2.
UNSTABLE = re.compile(r" at 0x|Markup\(|<generator|<function|<bound method|<built-in|<class|<Macro|jinja2|<cycler|0x[0-9a-f]{6}")


def literal(text):
    for plain, escaped in [("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")]:
        text = text.replace(plain, escaped)
    return f'"{text}"'


def source_of(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(source_of, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {source_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return literal(value)
    return {None: "none", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)


STRINGS = [
    "", "a", "Hello, World", "  padded\n", "a,b,,c", "naïve ☕", "ΣΊΣΥΦΟΣ", "x=1&y=<2>", "it's \"so\"", "{0} {1}", "%s %d", "one two three",
    "line\nline2\r\nline3", "ß", "ǅ", "İ", "日本語", "e\u0301", "\u00a0", "a\\b", "12", "-3.5", "True", "tab\there", "<think>x</think>y", "1_000"]
NUMBERS = ["0", "1", "-1", "2", "3", "7", "10", "255", "1.5", "-0.5", "2.0", "1e3", "1e16", "0.1", "1e-7", "100000", "0x1F"]
# A Lua table has no order and no null, so templates make the values themselves.
PRELUDE = "".join("{%- set " + name + " = " + source_of(value) + " -%}\n" for name, value in VARIABLES.items())

# Filters and methods by what they are for, with what they make: s(tring), n(umber), b(oolean), l(ist), d(ictionary), a(ny).
# In the patterns {s}, {n}, {l}, {d}, {a} stand for such expressions, {i} for a small number, {f} and {t} for names.
FILTERS = {
    "s": "upper s,lower s,title s,capitalize s,trim s,trim({s}) s,length n,list l,string s,int n,int({a}) n,int(0, 16) n,float n,first s,last s,reverse s,"
         "join({s}) s,replace({s}, {s}) s,replace({s}, {s}, {i}) s,indent s,indent({i}) s,indent({i}, true) s,indent({s}) s,indent({i}, blank=true) s,"
         "wordcount n,wordwrap({i}) s,center({i}) s,truncate({i}) s,truncate({i}, true) s,truncate({i}, true, {s}, 0) s,urlencode s,striptags s,format({a}) s,format({a}, {a}) s,unique|list l,sort l,batch({i})|list l,min s,max s,safe s,default({s}) s,default({s}, true) s,tojson s,"
         "pprint s,map('upper')|list l",
    "n": "abs n,round n,round({i}) n,round({i}, 'floor') n,round(1, 'ceil') n,int n,float n,string s,filesizeformat s,filesizeformat(true) s,default({n}) n,"
         "tojson s,pprint s",
    "l": "length n,count n,list l,string s,first a,last a,join s,join({s}) s,join(', ', attribute={s}) s,reverse|list l,sort l,sort(reverse=f) l,"
         "sort(attribute={s}) l,sort(case_sensitive=true) l,unique|list l,unique(attribute={s})|list l,min a,max a,sum n,sum(start={n}) n,sum(attribute={s}) n,"
         "default({l}) l,tojson s,tojson(indent={i}) s,tojson(sort_keys=true) s,batch({i})|list l,batch({i}, {a})|list l,slice({i})|list l,slice({i}, {a})|list l,"
         "groupby({s})|list l,groupby('age') l,map({f})|list l,map(attribute={s})|list l,map(attribute={s}, default={a})|list l,select|list l,reject|list l,"
         "select({t})|list l,reject({t})|list l,select('in', {l})|list l,selectattr({s})|list l,selectattr({s}, 'equalto', {a})|list l,"
         "rejectattr({s}, {t})|list l,map('string')|list l,map('replace', {s}, {s})|list l,pprint s,random a,urlencode s",
    "d": "length n,list l,dictsort l,dictsort(by='value') l,dictsort(reverse=true) l,dictsort(true) l,items|list l,tojson s,tojson(indent={i}) s,"
         "tojson(ensure_ascii=true) s,string s,xmlattr s,pprint s,first a,urlencode s,attr({s}) a,default({d}) d,join(',') s",
    "b": "string s,int n,tojson s,default({b}) b,float n,abs n",
}
METHODS = {
    "s": "upper() s,lower() s,title() s,capitalize() s,swapcase() s,casefold() s,strip() s,strip({s}) s,lstrip({s}) s,rstrip({s}) s,split() l,split({s}) l,"
         "split({s}, {i}) l,rsplit({s}, {i}) l,split(sep={s}, maxsplit={i}) l,splitlines() l,splitlines(true) l,partition({s}) l,rpartition({s}) l,join({l}) s,"
         "replace({s}, {s}) s,replace({s}, {s}, {i}) s,startswith({s}) b,endswith({s}) b,startswith(({s}, {s})) b,startswith({s}, {i}) b,find({s}) n,"
         "find({s}, {i}) n,rfind({s}, {i}) n,index({s}) n,count({s}) n,isdigit() b,isalpha() b,isalnum() b,isspace() b,islower() b,isupper() b,istitle() b,"
         "isnumeric() b,isdecimal() b,isidentifier() b,isascii() b,zfill({i}) s,ljust({i}) s,rjust({i}, '*') s,center({i}, '-') s,removeprefix({s}) s,"
         "removesuffix({s}) s,expandtabs() s,expandtabs({i}) s,format({a}, {a}) s,format(a={a}) s,isprintable() b",
    "l": "index({a}) n,count({a}) n",
    "d": "items()|list l,keys()|list l,values()|list l,get({s}) a,get({s}, {a}) a,copy() d,items() l,keys() l",
}
FILTERS, METHODS = (
    {kind: [tuple(entry.rsplit(" ", 1)) for entry in re.split(r",(?=[^ ])(?![^()]*\))(?!')", text)] for kind, text in table.items()}
    for table in (FILTERS, METHODS))
TESTS = [
    "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "iterable", "sequence",
    "callable", "lower", "upper", "odd", "even", "divisibleby({n})", "sameas({a})", "in({l})", "in {l}", "eq({a})", "ne({a})", "lt({n})", "ge({n})",
    "equalto({a})", "filter", "test", "greaterthan({n})"]
ATTRIBUTES = ["a", "b", "c", "items", "name", "age", "tags", "home", "home.city", "role", "content", "z", "0", "upper", "x", "length", "first"]
ATOMS = {
    "s": ["s", "u", "lines", "quotes", "empty", "words[0]", "messages[1].content", "rows[0].name"], "b": ["t", "f", "true", "false", "none"],
    "n": ["i", "x", "a[0]", "big", "tiny", "rows[1].age", "d.b", "loop.index if loop is defined else 0"],
    "l": ["a", "words", "rows", "messages", "nested", "d.a", "[]", "[1, 2, 3]", "('x',)", "range(4)", "rows[0].tags", "d.keys()|list"],
    "d": ["d", "rows[0]", "rows[2]", "messages[0]", "{}", "{'a': 1, 'b': [2]}", "rows[0].home"],
    "a": ["n", "missing", "item", "k", "v", "ns.a", "m", "loop"],
}
DASH = ["", "", "", "-", "-", "+"]
SPACES = ["", "", " ", "\n", "\n", "  \n  ", "\t", "text", " text \n", "\n\n", "日本\n", "# ", "}} ", "{ "]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, values):
        return self.r.choice(values)

    def string(self):
        return literal(self.pick(STRINGS if self.r.random() < 0.7 else ATTRIBUTES))

    def integer(self):
        return str(self.r.choice([0, 1, 2, 3, 5, 8, 20, -1, -2]))

    def filled(self, pattern, depth):
        def part(match):
            kind = match.group(1)
            if kind == "i":
                return self.integer() if self.r.random() < 0.97 else self.expression(0)
            if kind == "f":
                return literal(re.split(r"[(|]", self.pick(FILTERS[self.pick("snl")])[0])[0])
            if kind == "t":
                return literal(re.split(r"[( ]", self.pick(TESTS))[0])
            if kind == "s" and self.r.random() < 0.8:
                return self.string()
            return self.expression(depth - 1, kind)

        return re.sub(r"\{([esnlbdaift])\}", part, pattern)

    def atom(self, kind):
        if kind == "s" and self.r.random() < 0.5:
            return self.string()
        if kind == "n" and self.r.random() < 0.6:
            return self.pick(NUMBERS)
        return self.pick(ATOMS[kind])

    def makers(self, table, kind):
        """Entries of a table that make a kind, with what they are for."""
        return [(source, pattern) for source, entries in table.items() for pattern, made in entries if made == kind or kind == "a"]

    def expression(self, depth=3, kind="a"):
        r = self.r
        if r.random() < 0.03:
            kind = r.choice("snbld")
        if kind == "a" and r.random() < 0.93:
            kind = r.choice("ssnnbldl")
        if kind == "e":
            kind = "a"
        if depth <= 0:
            return self.atom(kind)
        e = lambda kind="a": self.expression(depth - 1, kind)
        choice = r.random()
        if choice < 0.10:
            return self.atom(kind)
        if choice < 0.36 and self.makers(FILTERS, kind):
            source, pattern = self.pick(self.makers(FILTERS, kind))
            value = e(source)
            if not re.fullmatch(r"[\w.\[\]]+", value) and r.random() < 0.9:
                value = f"({value})"
            return f"({value}|{self.filled(pattern, depth)})" if r.random() < 0.9 else f"{value}|{self.filled(pattern, depth)}"
        if choice < 0.56 and self.makers(METHODS, kind):
            source, pattern = self.pick(self.makers(METHODS, kind))
            return f"({e(source)}).{self.filled(pattern, depth)}"
        if choice < 0.62:
            return f"({e(kind)} if {e('b')} else {e(kind)})" if r.random() < 0.9 else f"({e(kind)} if {e()})"
        if choice < 0.68:
            return self.pick(["(({l}) + ({l}))[{i}]", "({d})[{s}]", "({l})[{i}]", "({l})[{i}].{x}", "({d}).{x}", "({l})|first", "m({a})" if self.r.random() < 0.2 else "{a}",
                              "loop.previtem", "loop.cycle({a}, {a})", "namespace(a={a}).a", "dict(a={a}, b={s}).a"]
                             ).replace("{x}", self.pick(ATTRIBUTES[:9])).replace("{l}", e("l"), 1).replace("{l}", e("l")).replace("{d}", e("d")).replace(
                "{s}", self.string()).replace("{i}", self.integer()).replace("{a}", e())
        if kind == "n":
            operator = self.pick(["+", "-", "*", "/", "//", "%", "**"])
            right = self.pick(["0", "1", "2", "3", "-1", "0.5"]) if operator == "**" else e("n")
            return f"({e('n')} {operator} {right})" if r.random() < 0.9 else f"{self.pick('-+')}({e('n')})"
        if kind == "s":
            if r.random() < 0.3:
                return f"({e('s')}){self.slice(depth)}"
            return self.pick([f"({e('s')} + {e('s')})", f"({e()} ~ {e()})", f"({e('s')} * {self.integer()})", f"({e('s')} % {e()})", f"({e('s')} ~ {e('s')} ~ {e('n')})"])
        if kind == "l":
            if r.random() < 0.4:
                return f"({e('l')}){self.slice(depth)}"
            return self.pick([f"({e('l')} + {e('l')})", "[" + ", ".join(e() for _ in range(r.randint(0, 3))) + "]", f"({e()}, {e()})", f"({e()},)",
                              f"range({self.integer()})|list", f"range({self.integer()}, {self.integer()}, 2)|list", f"({e('l')} * {self.integer()})"])
        if kind == "d":
            return self.pick(["{" + ", ".join(f"{self.string()}: {e()}" for _ in range(r.randint(0, 3))) + "}", "{" + f"{e()}: {e()}" + "}", f"dict(a={e()}, b={e()})",
                              f"dict({e('d')}, c={e()})", f"dict([('a', {e()})])"])
        return self.pick([f"({e()} {self.pick(['==', '!=', '==', '<', '>='])} {e()})", f"({e('n')} {self.pick(['<', '<=', '>', '>='])} {e('n')})", f"(not {e()})",
                          f"({e('s')} {self.pick(['<', 'in', 'not in'])} {e('s')})", f"({e()} {self.pick(['in', 'not in'])} {e('l')})", f"({e()} and {e()})", f"({e()} or {e()})",
                          f"({e()} is {self.pick(['', '', 'not '])}{self.filled(self.pick(TESTS), depth)})", f"({e('n')} < {e('n')} <= {e('n')})", f"({e('s')} in {e('d')})",
                          f"({e('l')} {self.pick(['==', '<'])} {e('l')})"])

    def slice(self, depth):
        part = lambda: self.r.choice(["", self.integer(), self.integer()]) if self.r.random() < 0.95 else self.expression(0)
        return "[" + part() + ":" + part() + self.r.choice(["", "", ":" + part()]) + "]"

    def tag(self, inside):
        left, right = self.pick(DASH), self.pick(["", "", "", "-", "-"])
        return "{%" + left + " " + inside + " " + right + "%}"

    def text(self):
        return self.pick(SPACES)

    def statement(self, depth):
        kind = self.r.random()
        body = lambda: self.body(depth - 1)
        e = lambda: self.expression(2)
        el = lambda: self.expression(2, "l")
        if depth <= 0 or kind < 0.38:
            return "{{" + self.pick(DASH[:5]) + " " + self.expression(self.r.randint(1, 3)) + " " + self.pick(["", "", "-"]) + "}}"
        if kind < 0.50:
            out = self.tag("if " + e()) + body()
            while self.r.random() < 0.3:
                out += self.tag("elif " + e()) + body()
            if self.r.random() < 0.5:
                out += self.tag("else") + body()
            return out + self.tag("endif")
        if kind < 0.68:
            names = self.pick(["item"] * 9 + ["k", "k, v"])
            over = self.pick(["d.items()", "rows|groupby('age')", "d|dictsort", "rows|map('dictsort')|first"]) if "," in names else self.pick(["a", "words", "rows", "messages", "d", "d.items()", "range(3)", "nested", "s", "[]", el(), el(), el(), "rows|groupby('age')", "d|dictsort"])
            condition = f" if {e()}" if self.r.random() < 0.25 else ""
            control = self.tag(self.pick(["break", "continue"])) if self.r.random() < 0.15 else ""
            if control and self.r.random() < 0.7:
                control = self.tag("if " + e()) + control + self.tag("endif")
            out = self.tag(f"for {names} in {over}{condition}{' recursive' if self.r.random() < 0.04 else ''}") + body() + control + body()
            out += "{{ loop." + self.pick(["index", "index0", "first", "last", "length", "revindex", "revindex0", "depth", "nextitem", "previtem"]) + " }}"
            if self.r.random() < 0.3:
                out += self.tag("else") + body()
            return out + self.tag("endfor")
        if kind < 0.78:
            return self.tag(self.pick(["set item = ", "set k = ", "set k, v = ", "set ns.a = ", "set ns = namespace(a=1) or ", "set s = ", "set i = "]) + e())
        if kind < 0.82:
            return self.tag("set " + self.pick(["k", "s", "ns.a", "k | upper", "k | trim | length"])) + body() + self.tag("endset")
        if kind < 0.88:
            parameters = self.pick(["", "a", "a, b=2", "a='x'", "a, b=a", "item, caller=none"])
            out = self.tag(f"macro {self.pick('mf')}({parameters})") + body() + self.pick(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ a }}"])
            return out + self.tag("endmacro") + "{{ " + self.filled(self.pick(["m()", "m({e})", "f({e})", "m({e}, {e})", "m(b={e})", "m(1, c={e})"]), 2) + " }}"
        if kind < 0.91:
            return self.tag(f"call{self.pick(['', '(k)', '(k, v=1)'])} {self.pick('mf')}({self.pick(['', e()])})") + body() + self.tag("endcall")
        if kind < 0.94:
            return self.tag("filter " + self.filled(self.pick(FILTERS["s"])[0], 2)) + body() + self.tag("endfilter")
        if kind < 0.96:
            return "{#" + self.pick(["", "-"]) + " note " + self.pick(["", "-"]) + "#}"
        if kind < 0.97:
            return self.tag("raw") + "{{ x }}" + self.text() + self.tag("endraw")
        if kind < 0.985:
            return self.tag("generation") + body() + self.tag("endgeneration")
        return self.tag("if " + e()) + "{{ raise_exception(" + e() + ") }}" + self.tag("endif")

    def body(self, depth):
        return "".join(self.text() + self.statement(depth) for _ in range(self.r.choice([0, 1, 1, 2]))) + self.text()

    def program(self):
        return PRELUDE + "".join(self.text() + self.statement(3) for _ in range(self.r.choice([1, 1, 2, 3]))) + self.text()

    def mutant(self):
        cases = ["{{ " + expression + " }}" for expression in EXPRESSIONS] + TEMPLATES
        source = self.pick(cases)
        for _ in range(self.r.choice([1, 1, 2, 3])):
            tokens = re.findall(r"\w+|\"[^\"]*\"|'[^']*'|\s+|\{[%{#][-+]?|[-+]?[%}#]\}|.", source, re.S)
            if not tokens:
                break
            kind = self.r.random()
            values = [i for i, token in enumerate(tokens) if re.fullmatch(r"\d+|[\"'].*[\"']", token, re.S) or token in VARIABLES]
            place = self.pick(values) if values and kind < 0.6 else self.r.randrange(len(tokens))
            if values and kind < 0.6:
                tokens[place] = self.expression(1)
            elif kind < 0.65:
                tokens[place] = self.expression(1)
            elif kind < 0.7:
                del tokens[place]
            elif kind < 0.75:
                tokens.insert(place, self.pick(tokens))
            elif kind < 0.8:
                tokens[place] = self.pick(tokens)
            elif kind < 0.95:
                tokens.insert(place, self.text())
            else:
                other = self.pick(cases)
                tokens[place:] = [other[self.r.randint(0, len(other)):]]
            source = "".join(tokens)
        return PRELUDE + source


class Slow(BaseException):
    """More than two seconds of computing."""


def answer(source):
    """What jinja2 makes of a template; None where it takes too long or is not told apart from run to run."""
    def stop(*_):
        raise Slow

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2)
    try:
        result = templates.render(source, {"tools": None, "documents": None, "add_generation_prompt": False})
    except (Slow, MemoryError, RecursionError):
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    text = result.get("text", result.get("raised", ""))
    if "text" in result and (UNSTABLE.search(text) or len(text) > 200000):
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20)
    arguments = parser.parse_args()
    generator = Generator(arguments.seed)
    cases = []
    while len(cases) < arguments.count:
        source = generator.program() if len(cases) % 2 else generator.mutant()
        # Objects that only Python has, the clock, and jinja2's own reading of a negative constant's power.
        if re.search(r"\brandom\b|lipsum|strftime|__|urlize|\bself\b|-\s*[\d(][\d.]*\s*\*\*", source):
            continue
        expected = answer(source)
        if expected is not None:
            cases.append({"template": source, **expected})
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("run.lua", "cases.jsonl", "answers.jsonl")]
        with open(paths[0], "w") as file:
            file.write(LUA)
        with open(paths[1], "w", encoding="utf-8") as file:
            for case in cases:
                file.write(json.dumps(case["template"], ensure_ascii=False) + "\n")
        subprocess.run([arguments.command, paths[0], os.path.join(root, "scripts", "arithmetic-tokenizer"), *paths[1:]], check=True)
        with open(paths[2], encoding="utf-8") as file:
            answers = [json.loads(line) for line in file.read().split("\n") if line]
    kinds, apart, mismatches = collections.Counter(), collections.Counter(), []
    for case, found in zip(cases, answers, strict=True):
        failed = not found["ok"]
        own = failed and found["text"].startswith("template:")
        if "text" in case:
            kinds["text"] += 1
            if failed and own and BY_DESIGN.search(found["text"]):
                apart[re.sub(r"template:\d+: |'[^']*'|\d+", "", found["text"])] += 1
                continue
            equal = not failed and found["text"] == case["text"]
        elif "raised" in case:
            kinds["raised"] += 1
            # A filter block's own failure comes first there, and last in jinja2.
            if "of a filter block must give" in found["text"]:
                apart["filter block"] += 1
                continue
            equal = failed and (found["text"].endswith(case["raised"].split("\n")[0]) if case["raised"] else True) and not own
        else:
            kinds["error"] += 1
            equal = own
        if not equal:
            mismatches.append((case, found))
    print(f"{len(cases)} templates: {dict(kinds)}; by design {sum(apart.values())}: {dict(apart)}; mismatches {len(mismatches)}")
    for case, found in sorted(mismatches, key=lambda pair: len(pair[0]["template"]))[:arguments.show]:
        print("---\n" + case["template"].removeprefix(PRELUDE)[:1500])
        print("jinja2:", json.dumps({key: value for key, value in case.items() if key != "template"}, ensure_ascii=False)[:600])
        print("engine:", json.dumps(found, ensure_ascii=False)[:600])
    sys.exit(bool(mismatches))


main()
