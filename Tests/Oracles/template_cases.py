"""What make_templates.py renders."""

V = {
    "s": "Hello, World",
    "n": None,
    "i": 7,
    "f": 2.5,
    "t": True,
    "l": [3, 1, 2],
    "e": [],
    "d": {"b": 1, "a": "x", "items": [1], "c": {"d": 5}},
    "u": "ünïcödé 😀 e\u0301",
    "q": "it's \"quoted\"\n\ttab\\",
    "w": "  padded \n",
    "m": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B", "n": 2}, {"role": "user", "content": "C"}],
}

_EXPRESSIONS = r"""
1 + 2 * 3
7 // 2
-7 // 2
7 % -3
-7 % 3
7 / 2
6 / 2
2 ** 10
2 ** -1
-2 ** 2
1.5 + 1
1e16
123456789012345.6
1e15
1e-5
0.0001
0.1 + 0.2
-0.0
1 ~ 2 ~ 'x'
'a' 'b'
'a' + 'b'
'ab' * 3
[1] * 2
[1] + [2]
(1, 2)
(1,)
()
1 if false
1 if false else 2
true and 0
0 or 'x'
not 0
not true and false
1 < 2 < 3
1 < 3 < 2
1 == 1.0
true == 1
'a' == 'a'
[1, 2] == [1, 2]
{'a': 1} == {'a': 1}
none == none
'b' in 'abc'
2 in l
2 not in l
'b' in d
'z' in d
'' in ''
x in undefined_thing
l[0]
l[-1]
l[9]
l[1:]
l[:-1]
l[::-1]
l[::2]
l[-2:]
l[5:]
s[0]
s[-5:]
s[::-1]
s[1:4]
u[-1]
u[8]
u | length
d['a']
d.a
d.zz
d['zz']
d['items']
d.c.d
d.get('a')
d.get('zz')
d.get('zz', 4)
d.keys() | list
d.values() | list
d.items() | list
d | items | list
d
l
q
[q, u]
[none, true, 1.5, 'x', {'k': [1]}]
u
s.upper()
s.lower()
s.title()
'hello wORLD'.capitalize()
"they're bill's".title()
w.strip()
w.lstrip()
w.rstrip()
'xxaxx'.strip('x')
'a,b,,c'.split(',')
'a,b,,c'.split(',', 1)
' a  b '.split()
'a b c'.split(none, 1)
'a,b,c'.rsplit(',', 1)
'a\nb\r\nc'.splitlines()
'abc'.startswith('ab')
'abc'.startswith(('x', 'a'))
'abc'.endswith('bc')
'abcabc'.find('c')
'abcabc'.rfind('c')
'abcabc'.find('z')
'aXbX'.replace('X', 'y')
'aXbX'.replace('X', 'y', 1)
'aaa'.count('a')
'-'.join(['a', 'b'])
'{} and {}'.format(1, 'x')
'{0}{1}{0} {n}'.format('a', 'b', n=3)
'12'.isdigit()
'1a'.isdigit()
'ab'.isalpha()
'a1'.isalnum()
' '.isspace()
'AB'.isupper()
'ab'.islower()
'7'.zfill(3)
'-7'.zfill(4)
'prefix-x'.removeprefix('prefix-')
'%s is %d and %.2f' % ('a', 3, 1.5)
'%5s|%-5s|%05d' % ('a', 'b', 42)
'%r' % 'x'
l | sort
l | sort(reverse=true)
['b', 'A', 'c'] | sort
['b', 'A', 'c'] | sort(case_sensitive=true)
m | sort(attribute='role') | map(attribute='content') | list
l | reverse | list
s | reverse
l | join('-')
m | join(', ', attribute='content')
l | first
l | last
e | first
e | last
l | sum
m | sum(attribute='n')
[{'n': 1}, {'n': 2}] | sum(attribute='n')
l | min
l | max
['b', 'A'] | min
[1, 1, 2] | unique | list
['a', 'A'] | unique | list
l | length
undefined_thing | length
undefined_thing | default('d')
none | default('d')
none | default('d', true)
'' | default('d', true)
'' | d('x', boolean=True)
i | string
'3' | int
'x' | int
'x' | int(default=5)
'3.7' | int
'ff' | int(base=16)
3.7 | int
'2.5' | float
'x' | float
-3 | abs
2.567 | round(2)
2.5 | round
3.5 | round
2.5 | round(0, 'ceil')
2.4 | round(method='floor')
s | upper
s | lower
s | capitalize
'a b' | title
w | trim
'xax' | trim('x')
s | replace('l', 'L')
s | replace('l', 'L', 1)
'a\nb\n\nc' | indent
'a\nb\n\nc' | indent(2, true)
'a\n\nb' | indent(2, blank=true)
'a\nb' | indent('> ')
'ab' | center(7)
'ab' | center(6)
'a b  c' | wordcount
'<a & "b">' | e
'a b/c?é' | urlencode
d | tojson
q | tojson
u | tojson
u | tojson(ensure_ascii=true)
d | tojson(indent=2)
[] | tojson(indent=2)
{} | tojson(indent=2)
[1.0, 1e20, true, none] | tojson
d | tojson(sort_keys=true)
d | tojson(separators=(',', ':'))
{'a': [1, {'b': 2}]} | tojson(indent=4)
{1: 2, none: 3, true: 4} | tojson
d | dictsort
{'b': 1, 'A': 2} | dictsort
{'b': 1, 'A': 2} | dictsort(by='value')
{'b': 1, 'A': 2} | dictsort(true)
{'b': 1, 'a': 2} | dictsort(reverse=true)
[1, 2, 3, 4, 5] | batch(2) | list
[1, 2, 3] | batch(2, 0) | list
[1, 2, 3, 4, 5] | slice(2) | list
m | groupby('role') | list | length
m | map(attribute='content') | list
m | map(attribute='n', default=0) | list
['a', 'b'] | map('upper') | list
['a ', 'b'] | map('trim') | map('upper') | join
[1, 2, 3] | select('odd') | list
[1, 2, 3] | reject('odd') | list
[0, 1, ''] | select | list
m | selectattr('role', 'equalto', 'user') | map(attribute='content') | list
m | rejectattr('role', 'eq', 'user') | map(attribute='content') | list
m | selectattr('n') | list | length
m | selectattr('n', 'defined') | list | length
[1, 2, 3] | select('>', 1) | list
[1, 2, 3] | select('in', [1, 3]) | list
i is odd
i is even
i is divisibleby 7
i is divisibleby(3)
i is number
f is number
t is number
i is integer
t is integer
f is float
t is boolean
s is string
l is iterable
s is iterable
i is iterable
d is mapping
l is sequence
d is sequence
n is none
undefined_thing is defined
undefined_thing is undefined
d.zz is defined
s is defined and s is string
s is not string
i is eq 7
i is ne 7
i is gt 3
i is lt 3
i is in [7]
'a' is in 'abc'
'abc' is lower
'ABC' is upper
t is true
t is false
1 is true
n is sameas none
range is callable
range(4) | list
range(1, 4) | list
range(5, 0, -2) | list
dict(a=1, b='x')
-i | abs
-3 | abs
i | string ~ 'x'
(i | string) + 'x'
i + undefined_thing
undefined_thing.attribute
undefined_thing['key']
undefined_thing()
none.attribute
none + 1
'a' + 1
1 + 'a'
1 / 0
1 // 0
'a' < 1
l.append(4)
d.update({'z': 1})
d.pop('a')
s | nofilter
s is notest
nofunction(1)
raise_exception('no: ' ~ i)
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S')
{'a': 1, 'a': 2}
[1, [2, [3]]]
{'x': (1, 2)}
loop
namespace(a=1).a
l.index(2)
l.count(2)
'é'.upper()
'ß'.upper()
'a' ~ none ~ true ~ 1.0
0x10
1_000
"\u00e9\n\x41\t"
'it\'s'
"a\qb"
1 + 2 ~ 3
'a' ~ 1 + 2
2 * 3 ~ 4
not 1 in [1]
1 in [1] == true
{'a': {'b': [10, 20]}}.a.b[1]
(1, 2)[0]
[1, 2, 3][1:][0]
'abc'[1].upper()
l | map('string') | join(',')
'a' if true else 'b' if false else 'c'
m | length > 2
m[0].role == 'user' and m[-1]['content'] == 'C'
(m | last).content
m[1:] | length
loop.index
"x" * 0
[] == ()
1 is eq(1) and 2 is eq 2
'abc' | list
'a-b' | replace('-', '')
'%' ~ 5
5 | string | length
true | string
none | string
none | upper
none | length
5 | length
5 | first
'a' | float
{} | length
{} or 'empty'
1 and 2 and 3
0 or none
m | map(attribute='role') | unique | list
"A" in ["a", "A"]
'' is none
x is defined
'a\\nb'
""" .strip().splitlines()

_TEMPLATES = [
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc",
    "a {% if true %} b {% endif %} c",
    "a {%- if true -%} b {%- endif -%} c",
    "a\n {%- if true %}\n b\n {%- endif %}\nc",
    "x {%+ if true %} b {% endif +%}\n c",
    "a\n  {%+ if true %}b{% endif %}",
    "{{ 1 }}\n{{ 2 }}\n",
    "{{ 1 -}}  \n {{- 2 }}",
    "  {{ 1 }}  \n",
    "a {# comment #} b\n{# line #}\nc\n  {# indented #}\nd",
    "a {#- comment -#} b",
    "{% raw %}{{ x }} {% if %}{% endraw %}!",
    "a\n  {%- raw -%}  {{ x }}  {%- endraw -%}\n b",
    "line\r\nnext\r\n{% if true %}\r\nx\r\n{% endif %}",
    "trailing\n\n",
    "{% for x in l %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in l %}\n- {{ x }}\n{% endfor %}\nend",
    "{% for x in e %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% endfor %}",
    "{% for x in l %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is undefined }} {% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for c in 'abc' %}{{ c }}.{% endfor %}",
    "{% for (a, b) in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ x * y }} {% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in undefined_thing %}a{% else %}b{% endfor %}",
    "{% for x in 5 %}a{% endfor %}",
    "{% for x in none %}a{% endfor %}",
    "{% for x in undefined_thing.y %}a{% endfor %}",
    "{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% set x = 1 %}{% for y in l %}{% set x = y %}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for y in l %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1] %}{{ a }}",
    "{% set x %}a {{ 1 }} b{% endset %}[{{ x }}]",
    "{% set x | upper %}abc{% endset %}{{ x }}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set d.x = 1 %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }}",
    "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}",
    "{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
    "{% macro m(x) %}<{{ caller() }}:{{ x }}>{% endmacro %}{% call m(1) %}body{% endcall %}",
    "{% macro m() %}{{ caller(5) }}{% endmacro %}{% call(v) m() %}{{ v + 1 }}{% endcall %}",
    "{% macro m() %}{{ i }}{% endmacro %}{{ m() }}",
    "{% set y = 3 %}{% macro m() %}{{ y }}{% endmacro %}{% set y = 4 %}{{ m() }}",
    "{% macro m() %}\n  x\n{% endmacro %}\n{{ m() | trim }}|",
    "{% filter upper %}abc {{ s }}{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}aa{% endfilter %}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}",
    "{% if i > 5 %}big{% elif i > 3 %}mid{% else %}small{% endif %}",
    "{% if undefined_thing %}a{% else %}b{% endif %}",
    "{% if not undefined_thing is defined %}a{% endif %}",
    "{% if d.zz is not none %}a{% endif %}",
    "{% generation %}said{% endgeneration %} after",
    "{% generation %}\n  said\n{% endgeneration %}\nafter",
    "{{ raise_exception('bad') }}",
    "{% if true %}{{ raise_exception('Only ' + s) }}{% endif %}",
    "{{ {'a': {'b': 1}}['a']['b'] }}",
    "{{ {'a': 1}}}",
    "{{ '}}' }}{{ '{{' }}{{ '%}' }}",
    "{{ }}",
    "{% if %}",
    "{% for x in l %}",
    "{% endif %}",
    "{% unknown %}",
    "{{ 1 + }}",
    "{{ 'open }}",
    "{% include 'x' %}",
    "{{ a.b.c }}",
    "{{ d['c']['d'] }}{{ d['x']['y'] }}",
    "{{- '' }}\n{{ 'x' }}",
    "\n\n{% set a = 1 %}\n\n{{ a }}\n",
    "{%- for x in m -%}\n{{ '<' + x.role + '>' }}\n  {{- x.content | trim }}\n{%- endfor %}",
    "{% for x in m %}{{ x['role'] }}{% if x.n is defined %}({{ x.n }}){% endif %}{% endfor %}",
    "{{ m | map(attribute='role') | join(',') }}",
    "{{ (m | selectattr('role', 'equalto', 'user') | list)[0].content }}",
    "{% set x = m[1:] %}{{ x | length }}{{ x[0].role }}",
    "{% for x in m | reverse %}{{ x.content }}{% endfor %}",
    "{% for x in m[::-1] %}{{ x.content }}{% endfor %}",
    "{% set x = [] %}{% set x = x + [1] %}{{ x }}",
    "{{ s ~ ' ' ~ i ~ none }}",
    "tab\tand {{ q }}",
    "{{ 'a' if t else 'b' }}{{ 'a' if not t }}",
    "{{ undefined_thing }}|{{ undefined_thing or 'x' }}",
    "{% set loop_messages = m %}{% for message in loop_messages %}{% set content = message['content'] %}{% if loop.index0 == 0 %}{% set content = 'S' + content %}{% endif %}{{ content }}{% endfor %}",
]

SEMANTICS = [("{{ " + e + " }}", V) for e in _EXPRESSIONS] + [(t, V) for t in _TEMPLATES]

TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a \"city\" & more.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "a city"},
        "days": {"type": "integer"}}, "required": ["city"]}}}]

_CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "abcdefghi", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}}]}

CONVERSATIONS = {
    "user": [{"role": "user", "content": "Hi"}],
    "system": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 < 3 & \"4\"?"}],
    "answered": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
    "turns": [
        {"role": "system", "content": "You are kind.\nAlways."},
        {"role": "user", "content": "  Grüße, 世界! 🦙\n\nSecond line  "},
        {"role": "assistant", "content": "Hallo\n"},
        {"role": "user", "content": "{{ not a tag }} <|im_end|>"},
        {"role": "assistant", "content": " 'yes' \\ \"no\" "}],
    "asked": [
        {"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}, {"role": "user", "content": "Three"}],
    "thinking": [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "<think>\nadd\n</think>\n\n2"},
        {"role": "user", "content": "And 2+2?"},
        {"role": "assistant", "content": "4", "reasoning_content": "add again"}],
    "calls": [
        {"role": "user", "content": "Weather in Köln?"}, _CALL,
        {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefghi", "content": "sunny, 20°"},
        {"role": "assistant", "content": "It is sunny."}],
    "wrong order": [{"role": "assistant", "content": "first"}, {"role": "user", "content": "then"}],
    "empty answer": [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}],
}
