"""Small templates, each of one piece of Jinja's documented semantics, and the variables they see."""

VARIABLES = {
    "n": None,
    "t": True,
    "f": False,
    "i": 7,
    "x": 2.5,
    "s": "Hello, World",
    "u": "naïve ☕ 日本 👩‍👩‍👧 e\u0301",
    "lines": "one\ntwo\r\n\n  three\t",
    "quotes": "it's \"so\" \\ <b>&amp;</b>",
    "empty": "",
    "a": [3, 1, 2],
    "words": ["banana", "Apple", "cherry", "apple"],
    "d": {"b": 1, "a": [1, {"z": None}], "c": "text", "items": 5},
    "rows": [
        {"name": "Ann", "age": 30, "tags": ["x"], "home": {"city": "Rome"}},
        {"name": "bob", "age": 25, "tags": [], "home": {"city": "Oslo"}},
        {"name": "Cid", "age": 30, "home": {"city": "rome"}},
    ],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " Hi\n"},
        {"role": "assistant", "content": "Hello!", "tool_calls": [{"function": {"name": "f", "arguments": {"q": 1}}}]},
    ],
    "nested": [[1, 2], [3, [4, 5]], []],
    "big": 1e16,
    "tiny": 1.5e-7,
}

EXPRESSIONS = r"""
1
-1
+1
0x1F
0b101
0o17
1_000
1.5
1e3
1.5e-3
12E+2
1e16
1e15
123456789.123456789
0.1 + 0.2
1e-4
1e-5
1e100
1e22
-0.0
100.0
1/3
7 // 2
-7 // 2
7 // -2
7.5 // 2
-7.5 // 2
7 % 3
-7 % 3
7 % -3
-7.5 % 2
7.5 % -2
2 ** 10
2 ** -1
2 ** 0.5
-2 ** 2
2 ** 3 ** 2
2 ** 62
1 / 2
4 / 2
1 / 0
1 // 0
1 % 0
1.0 % 0
0 ** -1
3 * 'ab'
'ab' * 2
[1] * 3
[1, 2] + [3]
(1,) + (2,)
'a' + 1
1 + 'a'
[1] + (2,)
'a' ~ 1 ~ none ~ true ~ 2.0 ~ [1, 'b']
true + true
true * 3
1 + true
- true
not true
not ''
not 0
not []
1 < 2
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2
1 == 1.0
1 == true
0 == false
'1' == 1
none == none
none == false
'a' < 'b'
'a' < 'B'
[1, 2] < [1, 3]
[1, 2] < [1]
(1, 2) == [1, 2]
[1] == [1]
{'a': 1} == {'a': 1.0}
1 < 'a'
none < 1
1 != 2
1 in [1, 2]
1.0 in [1, 2]
3 not in [1, 2]
'el' in s
'' in s
'a' in d
'z' not in d
1 in s
'x' in undefined_name
1 in 1
not 1 in [2]
1 and 2
0 and 2
0 or 'x'
'' or none or 5
1 or undefined_name.x
not 1 == 2
1 if true else 2
1 if false else 2
1 if false
(1 if false) is undefined
'a' if i > 5 else 'b' if i > 3 else 'c'
1 if t and f else 2
[1, 2, 3]
[1, 2, 3,]
[]
()
(1,)
(1, 2)
1, 2
{}
{'a': 1, 'b': [1, 'x']}
{1: 'a', none: 2, 1.5: 3, true: 4}
{'a': 1, 'a': 2}
{[1]: 2}
{(1, 2): 3}
'single'
"double"
'it\'s'
"tab\tnewline\nback\\slash \x41 \u00e9 \U0001F600 \101 \q \a\0"
'adjacent' ' literals' "joined"
'\u12'
n
t
f
i
x
s
u
big
tiny
a
d
nested
quotes
[quotes]
['\'', '"', '\'"', '\\', '\n\t\r', '\x00\x7f\x80\xa0\u200b\u2028\ue000', 'é☕👩']
[1.0, -0.0, 1e16, none, true, false]
undefined_name
[undefined_name]
undefined_name.x
undefined_name['x']
undefined_name()
undefined_name + 1
-undefined_name
undefined_name < 1
undefined_name == 1
undefined_name == other_undefined
undefined_name | length
undefined_name | list
undefined_name ~ 'x'
n.x
n['x']
n.x.y
i.x
i[0]
s.x
s[0]
s[-1]
s[100]
s[100].x
s[1:3]
s[:5]
s[7:]
s[-5:]
s[::2]
s[::-1]
s[5:2]
s[-100:100]
s[10:2:-3]
s[:3:-1]
s[::0]
s['a':]
s[none:3]
u[2]
u[6]
u[2:8]
u[::-1]
u | length
a[0]
a[-1]
a[5]
a[1:]
a[::-1]
a[:-1]
a[-2:]
a[1:2] + [9]
a['x']
a[1.0]
a[true]
(1, 2, 3)[1:]
a.0
nested.1.1.0
nested[1][1][-1]
d.b
d['b']
d['items']
d.items() | list
d.keys() | list
d.values() | list
d.keys()
d.values()
d.items()
d.get('b')
d.get('q')
d.get('q', 'none')
d.get([1])
d.a[1].z
d.a[1].z.y
d.missing
d.missing is defined
d['a']['b']
d.copy()
d.pop('b')
d.update({'q': 1})
d.clear
d.clear is defined
d.__class__
d['__class__']
s.__class__.__mro__
a.append(1)
a.append is defined
a.count(1)
a.index(2)
a.index(9)
a.copy()
a.sort()
(1, 2, 1).count(1)
range(5)
range(5) | list
range(2, 5) | list
range(10, 0, -3) | list
range(0)
range(5)[1]
range(5)[1:3]
range(1, 10, 2)
range(5) | length
3 in range(5)
range(200000)
range('a')
range()
range(1, 2, 0)
range(1.5)
dict(a=1, b=2)
dict({'x': 1}, y=2)
dict([('a', 1), ('b', 2)])
dict([1])
dict.fromkeys(['a', 'b'], 0)
namespace(a=1).a
namespace(a=1)
namespace({'b': 2}, a=1)
namespace(_a=1)
namespace().x
namespace().x is defined
cycler('a', 'b').next()
cycler()
joiner()()
raise_exception('boom: ' ~ i)
raise_exception()
raise_exception(5)
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %p %I %y %% %e %-d')
strftime_now('')
strftime_now('plain')
strftime_now()
'%s and %s' % ('a', 1)
'%s' % 5
'%d%%' % 42.9
'%5.1f|%-6s|%06d|%x|%X|%o|%e|%g' % (3.14159, 'ab', 42, 255, 255, 8, 12345.678, 0.0001)
'%+d % d %i' % (5, 5, 5)
'%r %s' % ('a', [1, 'b'])
'%(a)s-%(b)d' % {'a': 'x', 'b': 2}
'%s %s' % 'a'
'%s' % (1, 2)
'%c%c' % (65, 'z')
'%.3s|%10s|%-10s|' % ('abcdef', 'é', 'é')
'%*d' % (5, 42)
'%d' % 'a'
'%q' % 1
'%s %(a)s' % {'a': 1}
'%' % ()
'{} {}'.format(1, 'b')
'{1} {0}'.format('a', 'b')
'{a} {b[0]} {c.x}'.format(a=1, b=[2], c={'x': 3})
'{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:.2f}|{:,}|{:x}|{:#x}|{:b}|{:e}|{:%}'.format('a', 'b', 'c', 'd', 42, 3.14159, 1234567, 255, 255, 5, 12345.678, 0.25)
'{:+d} {: d} {:_} {:g} {:.3} {:.3s}'.format(5, 5, 1234567, 0.00001, 3.14159, 'abcdef')
'{{}} {}'.format(1)
'{!r} {!s}'.format('a', 'b')
'{:{}}|'.format('a', 5)
'{'.format(1)
'}'.format(1)
'{} {0}'.format(1, 2)
'{2}'.format(1)
'{a}'.format(b=1)
'{:d}'.format('a')
'{:>3}'.format(none)
'{}'.format(none)
'{a}-{b}'.format_map({'a': 1, 'b': 2})
s.upper()
s.lower()
s.title()
'hello wORLD-foo o\'neil 3rd'.title()
'hELLO wORLD'.capitalize()
'Hello'.swapcase()
u.upper()
'ΑΣ ΣΑΣ. Σ'.lower()
'straße'.upper()
'ǆ'.title()
'  x  '.strip()
'  x  '.lstrip() ~ '|'
'  x  '.rstrip() ~ '|'
'xxabcxx'.strip('x')
'xyabcyx'.strip('xy')
'abc'.lstrip('ab')
'abc'.rstrip('bc')
'\u00a0x\u3000\u200b'.strip() | length
' x '.strip(none)
'a,b,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(',')
'aaa'.rsplit('aa', 1)
'aaaa'.rfind('aa')
''.find('a')
''.find('')
''.rfind('')
'日本日'.rsplit('日')
'  a  b c '.split()
'  a  b c '.split(none, 1)
'  a  b c '.rsplit(none, 1)
'a  b'.split(' ')
'a,b'.split('')
''.split()
''.split(',')
'a,b,c'.split(sep=',', maxsplit=1)
'abc'.split('bcd')
lines.splitlines()
lines.splitlines(true)
lines.split('\n')
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
s.startswith('Hello')
s.startswith(('x', 'He'))
s.startswith('World', 7)
s.startswith('lo', 3, 5)
s.startswith(1)
s.endswith('World')
s.endswith(('x', 'ld'))
s.endswith('Hello', 0, 5)
s.find('o')
s.find('o', 5)
s.find('z')
s.find('')
s.rfind('o')
u.find('日')
s.index('W')
s.index('z')
s.rindex('o')
s.count('o')
s.count('')
s.count('l', 0, 4)
'aaa'.count('aa')
s.replace('o', '0')
s.replace('o', '0', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'aaa'.replace('aa', 'b')
s.replace('o', 1)
'-'.join(['a', 'b'])
'-'.join('abc')
'-'.join([1, 2])
', '.join(d)
'ab'.center(5) ~ '|'
'ab'.center(6, '*')
'abc'.center(6, '*')
'ab'.ljust(5, '.')
'ab'.rjust(5, '.')
'ab'.ljust(5, '..')
'42'.zfill(5)
'-42'.zfill(5)
'a\tb'.expandtabs(4)
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.isalpha() ~ '12'.isdigit() ~ 'a1'.isalnum() ~ ' \n'.isspace() ~ 'ab'.islower() ~ 'AB'.isupper() ~ 'Ab Cd'.istitle() ~ ''.isalpha()
'½'.isnumeric() ~ '½'.isdigit() ~ '²'.isdigit() ~ '²'.isdecimal() ~ '٣'.isdecimal() ~ 'é'.isalpha() ~ '日'.isalnum() ~ 'a_1'.isidentifier() ~ '1a'.isidentifier() ~ 'é'.isascii()
s.nothing()
s.upper(1)
s | upper
s | lower
s | title
'foo-bar (baz) [qux] {x} <y> it\'s' | title
s | capitalize
5 | upper
none | upper
u | upper
'  x ' | trim
'xxaxx' | trim('x')
none | trim
s | replace('o', '0')
s | replace('o', '0', 1)
5 | replace('5', 6)
s | length
a | length
d | length
5 | length
none | count
a | first
[] | first
'abc' | first
d | first
a | last
[] | last
'abc' | last
d | last
5 | first
a | list
'abc' | list
d | list
none | list
a | join
a | join(', ')
a | join(',', attribute='x')
rows | join(', ', attribute='name')
rows | join('|', 'home.city')
'abc' | join('-')
none | join
a | sort
a | sort(reverse=true)
words | sort
words | sort(case_sensitive=true)
rows | sort(attribute='age') | map(attribute='name') | list
rows | sort(attribute='age,name', reverse=true) | map(attribute='name') | list
[1, 'a'] | sort
[[2, 1], [1, 2]] | sort
a | reverse | list
'abc' | reverse
a | reverse | length
d | reverse | list
words | unique | list
words | unique(case_sensitive=true) | list
rows | unique(attribute='age') | map(attribute='name') | list
a | min
a | max
words | min
words | max(case_sensitive=true)
rows | min(attribute='age')
[] | max
[] | max is defined
a | sum
[1.5, 2] | sum
[[1], [2]] | sum(start=[])
rows | sum(attribute='age')
rows | sum('age', 100)
words | sum
a | batch(2) | list
a | batch(2, 'x') | list
[1, 2, 3, 4, 5] | slice(2) | list
[1, 2, 3, 4, 5] | slice(3, 'x') | list
a | slice(0) | list
rows | groupby('age')
rows | groupby('home.city') | map('first') | list
rows | groupby('home.city', case_sensitive=true) | map(attribute='grouper') | list
(rows | groupby('age'))[0].list | length
d | dictsort
{'b': 1, 'A': 2, 'c': 0} | dictsort
{'b': 1, 'A': 2} | dictsort(true)
{'b': 1, 'A': 2, 'c': 0} | dictsort(by='value')
{'b': 1, 'A': 2, 'c': 0} | dictsort(false, 'value', reverse=true)
5 | dictsort
d | items | list
undefined_name | items | list
none | items | list
a | map('string') | list
words | map('upper') | list
words | map('replace', 'a', 'A') | list
rows | map(attribute='name') | join(', ')
rows | map(attribute='tags', default='-') | list
rows | map(attribute='tags') | list
rows | map(attribute='tags.0') | list
a | map('nope') | list
a | map() | list
[] | map() | list
a | map('string') | length
a | map('string') | first
a | select('odd') | list
a | select('>', 1) | list
a | select | list
[0, 1, '', 'a', none] | select | list
[0, 1, '', 'a', none] | reject | list
a | reject('odd') | list
a | select('nope') | list
[] | select('nope') | list
rows | selectattr('age', 'equalto', 30) | map(attribute='name') | list
rows | selectattr('tags') | map(attribute='name') | list
rows | selectattr('tags', 'defined') | map(attribute='name') | list
rows | rejectattr('tags', 'undefined') | map(attribute='name') | list
rows | selectattr('home.city', 'in', ['Rome']) | map(attribute='name') | list
rows | selectattr('age', '>', 26) | list | length
messages | selectattr('role', '==', 'user') | list
(messages | selectattr('role', '==', 'user') | list)[-1].content
messages | map(attribute='content') | map('trim') | join('|')
undefined_name | default('x')
undefined_name | default
undefined_name | d('y')
none | default('x')
none | default('x', true)
'' | default('x', boolean=true)
d.missing | default(d.b)
d.missing.more | default(1)
'42' | int
'42.7' | int
42.7 | int
-42.7 | int
'abc' | int
'abc' | int(5)
'0x1F' | int(base=16)
'ff' | int(0, 16)
' 42 ' | int
none | int
true | int
'1_000' | int
[1] | int(3)
'1e3' | int
undefined_name | int
'2.5' | float
'abc' | float
'abc' | float(1)
'1e3' | float
'inf' | float
'nan' | float
none | float
3 | float
' -2.5 ' | float
-5 | abs
-5.5 | abs
'a' | abs
2.5 | round
3.5 | round
2.567 | round(2)
2.567 | round(2, 'ceil')
2.567 | round(1, 'floor')
1234 | round(-2)
1250.0 | round(-2)
5 | round
42.55 | round
2.675 | round(2)
5 | round(method='floor')
5 | round(1, 'up')
'a' | round
5 | string
[1] | string
none | string
s | wordcount
'a-b c_d é' | wordcount
'x' | center(5) ~ '|'
'ab' | center(7) ~ '|'
lines | indent
lines | indent(2, true)
lines | indent(2, blank=true)
lines | indent('> ', first=true, blank=true)
'' | indent
5 | indent
'foo bar baz qux' | truncate(9)
'foo bar baz qux' | truncate(9, true)
'foo bar baz qux' | truncate(11)
'foo bar baz qux' | truncate(11, false, '...', 0)
'foo bar baz qux' | truncate(2)
'%s, %s!' | format('a', 'b')
'%(a)s' | format(a=1)
'%s' | format(1, a=2)
quotes | escape
quotes | e
quotes | safe
quotes | forceescape
'a b/c?é&' | urlencode
{'a': 1, 'b c': 'é/'} | urlencode
1000 | filesizeformat
1 | filesizeformat
999 | filesizeformat
1234567 | filesizeformat
1234567 | filesizeformat(true)
1e30 | filesizeformat
d | attr('b')
s | attr('upper') is defined
s | attr('nope') is defined
d | tojson
u | tojson
u | tojson(ensure_ascii=true)
lines | tojson
quotes | tojson
'\x00\x1f\x7f\x08\x0c' | tojson
'\x7f\u2028' | tojson(ensure_ascii=true)
d | tojson(indent=2)
d | tojson(indent=0)
d | tojson(indent='--')
d | tojson(separators=(',', ':'))
d | tojson(sort_keys=true)
d | tojson(indent=4, sort_keys=true, ensure_ascii=false)
{} | tojson(indent=2)
[] | tojson(indent=2)
[[], {}] | tojson(indent=1)
(1, 2) | tojson
1.0 | tojson
1e16 | tojson
0.1 | tojson
true | tojson
none | tojson
{1: 2, true: 3, none: 4, 1.5: 5} | tojson
{(1, 2): 3} | tojson
undefined_name | tojson
range(2) | tojson
a | map('string') | tojson
'nan' | float | tojson
'a' | tojson(false, 2)
d | tojson(nope=1)
s | nope
s | upper | lower | title
(s | upper)[0]
s|upper ~ '!'
-5 | abs
(-5) | abs
1 + 2 | string
'a' ~ 'b' | upper
s.split(', ') | map('lower') | join('_')
t is true
t is boolean
1 is true
1 is boolean
f is false
n is none
n is not none
none is defined
undefined_name is defined
undefined_name is undefined
undefined_name is none
d.x.y is defined
s is string
5 is string
5 is number
5.0 is number
true is number
'5' is number
5 is integer
true is integer
5.0 is integer
5.0 is float
5 is float
d is mapping
a is mapping
a is iterable
s is iterable
5 is iterable
none is iterable
undefined_name is iterable
a is sequence
s is sequence
d is sequence
5 is sequence
(1, 2) is sequence
range(3) is sequence
a | map('string') is sequence
d.items() is sequence
undefined_name is sequence
range(4).index(2) + range(4).count(1)
d.items() is iterable
5 is odd
5 is even
4 is even
5.0 is odd
'a' is odd
6 is divisibleby 3
6 is divisibleby(4)
6 is divisibleby 0
5 is eq 5
5 is equalto(5)
5 is ne 4
5 is lt 6
5 is gt(4) and 5 is le 5 and 5 is ge 5
5 is lessthan 6
5 is greaterthan 6
5 is == 5
5 is in [5, 6]
5 is not in [1, 2]
'a' is in 'abc'
5 is in 5
'abc' is lower
'ABC' is upper
'Abc' is lower
'123' is upper
s is callable
range is callable
s.upper is callable
undefined_name is callable
d is sameas d
n is sameas none
true is sameas true
'upper' is filter
'nope' is filter
'odd' is test
'nope' is test
s is escaped
5 is nope
5 is odd is even
5 is not odd
not 5 is odd
5 is string or 5 is number
5 is defined and 5 > 3
5 is odd if true else 1
messages[0].role
messages[0]['role']
messages[-1]['content']
messages[1:] | length
messages[1:][0].content | trim
messages[2].tool_calls[0].function.arguments | tojson
messages[2].tool_calls[0]['function']['name']
messages[0].tool_calls is defined
messages[0].tool_calls | length
messages[-1] == messages[2]
messages[0] in messages
i > 5 and s.startswith('H') or f
(i + 3) * 2 - 1
i + 3 * 2
(1, 2) + (3,) == (1, 2, 3)
s if s else 'none'
[x for x in a]
lambda x: x
a b
a[
(1
{'a'}
{'a': }
1 +
'unterminated
1.foo
a.
a[1:2, 3]
f(x=1, x=2)
range(*[2, 4]) | list
dict(**{'a': 1})
dict(**5)
range(stop=5)
s.replace(old='o', new='0')
s.split(sep=', ')
true.x
True
None
False
Undefined
loop
caller
varargs
9223372036854775807
1 == 1 == 1
'a' 'b' in 'xaby'
a | length > 2
a | length + 1
-a | length
- 3 | abs
+ 3 | string
not a | length
i is odd and x is float
"a" < "é" < "日" < "👩"
s | list | length
{'a': {'b': {'c': [1, 2, {'d': 'deep'}]}}}.a.b.c[2].d
[[1, 2], [3, 4]] | map('first') | list
[[1, 2], [3, 4]] | map('sum') | sum
[{'a': 1}, {'a': 2}] | map(attribute='a') | sum
"{}-{}".format("a", "b") | upper
(d.items() | list)[0][0]
d.items() | first
d | dictsort | first | last
'' is none
d == d.copy()
a | random is number if false else 'skip'
"x" is in {'x': 1}
1 is in undefined_name
loop.index
n | selectattr('a') | list
f | map('upper') | list
i | map('upper') | list
(1, 2) | truncate(4)
'' % [1]
'' % 1
undefined_name | truncate(4)
('Straße ẞ ΣΊΣΥΦΟΣ İ ı ǅ ﬁ Ꭰ ꭰ Ⅷ ' ~ u).casefold()
'ΣΊΣΥΦΟΣ ΑΣ'.title() ~ 'ΑΣ'.capitalize() ~ 'ΑΣ Σ'.swapcase()
('ΑΣ' | title) ~ ('ΑΣ' | capitalize) ~ ('ΑΣ ΑΣΑ' | lower)
[1e16 // 3, -7.5 // 2, 7.5 // -2, 0.0 // -3, -1e-9 // 5, 1.0 // 0.1, -0.0 // 3]
a | batch(0) | list
a | batch(0, 'x') | list
a | batch(-1, 'x') | list
a | batch(1) | list
[] | batch(2, 'x') | list
a | sort(reverse=none)
a | sort(reverse=1)
a | sort(reverse=t)
a | sort(reverse='x')
dict(missing)
namespace(missing)
dict(missing, a=1)
d is filter
[] is test
'upper' is filter
'0x1F' | int(base=range(4))
'x' | int(3, 'y')
'12' | int(base='16')
'a' is in undefined_name | default('abc')
s[:-7] ~ s[-6:]
u[-1] | tojson(ensure_ascii=true)
""" .strip("\n").split("\n")

TEMPLATES = [
    "",
    "plain text",
    "trailing newline\n",
    "two trailing\n\n",
    "crlf\r\nand cr\rend\r\n",
    "a{# comment #}b",
    "a\n{# comment #}\nb",
    "a\n   {# comment #}   \nb",
    "a {#- comment -#} b",
    "a {#+ comment +#}\n b",
    "{# unclosed",
    "{# multi\nline {{ x }} {% if %} #}done",
    "a\n  {% if t %}\n  b\n  {% endif %}\nc",
    "a\n  {%+ if t %}\n  b\n  {%- endif +%}\nc",
    "a  {%- if t -%}  b  {%- endif -%}  c",
    "  {% if t %}x{% endif %}",
    "\t {% if t %}x{% endif %} \n y",
    "x  {% if t %}y{% endif %}",
    "  {{ i }}  \n  {{- i -}}  \n  {{ i }}",
    "{{ i }}\n{{ i }}\n",
    "{%- if t %}\n\n  a\n\n{%- endif %}\n\n",
    "{% if t %}\n\n{% endif %}\n\n{% if t %}x{% endif %}\n",
    "{% if t %}{# c #}\n{% endif %}\nx",
    "{% raw %}{{ x }} {% if %}{% endraw %}",
    "{% raw %}\n  {{ x }}\n{% endraw %}\n",
    "  {% raw %} {{ x }} {% endraw %} y",
    "a {%- raw -%}  {{ x }}  {%- endraw -%} b",
    "{% raw %}unclosed",
    "{{ '}}' }}{{ '{{' }}{{ '%}' }}",
    "{{ {'a': {'b': 1}}.a.b }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ i -}}\n\n{{ i }}",
    "{{- i }} {{+ i }}",
    "{{ i +}}",
    "}} %} #} {",
    "{ { i } }",
    "{{}}",
    "{{ }}",
    "{{ i",
    "{% if t %}",
    "{% if t %}a{% endfor %}",
    "{% endif %}",
    "{% nope %}",
    "{% %}",
    "{% if %}x{% endif %}",
    "{% if t: %}x{% endif %}",
    "{% if n %}a{% elif f %}b{% elif t %}c{% else %}d{% endif %}",
    "{% if n %}a{% elif f %}b{% else %}d{% endif %}",
    "{% if n %}a{% endif %}",
    "{% if t %}a{% else %}b{% else %}c{% endif %}",
    "{% if i == 7 and s %}yes{% endif %}",
    "{% if undefined_name %}a{% else %}b{% endif %}",
    "{% if undefined_name.x %}a{% else %}b{% endif %}",
    "{% if 1, 2 %}tuple{% endif %}",
    "{% for x in a %}{{ x }},{% endfor %}",
    "{% for x in a -%}\n  {{ x }}\n{% endfor %}",
    "{% for x in [] %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in a %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in undefined_name %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in n %}{{ x }}{% endfor %}",
    "{% for x in 5 %}{{ x }}{% endfor %}",
    "{% for c in u %}[{{ c }}]{% endfor %}",
    "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for (k, v) in d.items() %}{{ k }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in a if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}none{% endfor %}",
    "{% for x in a if x > 10 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in a if loop.index > 1 %}{{ x }}{% endfor %}",
    "{% for x in (a if t else []) %}{{ x }}{% endfor %}",
    "{% for x in a %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in a %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in a %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in a %}{{ loop.previtem.y }}{% endfor %}",
    "{% for x in a %}{{ loop.cycle('odd', 'even') }} {% endfor %}",
    "{% for x in a %}{{ loop.cycle() }} {% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in a %}{{ loop }}{% endfor %}",
    "{% for x in a %}{{ loop.nope }}{{ loop.nope is defined }}{% endfor %}",
    "{% for x in a %}{% for y in a %}{{ loop.index }}{% endfor %}|{{ loop.index }} {% endfor %}",
    "{% for x in a %}{% set outer = loop %}{% for y in a %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{{ loop }}{% for x in a %}{% endfor %}{{ x }}",
    "{% for x in a %}{% endfor %}{{ loop is defined }}",
    "{% for x in [1, 2, 3, 4] %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in [1, 2, 3, 4] %}{% if x is odd %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in a %}{% break %}{% else %}else{% endfor %}",
    "{% for x in a %}{% continue %}{% else %}else{% endfor %}",
    "{% for x in a %}{% if loop.last %}{% break %}{% endif %}{% else %}else{% endfor %}",
    "{{ [s|nope] if f else 'ok' }}{{ 1 if f else (2 if t else s|nope) }}",
    "{{ 'ok' if t else 1 is nope }}",
    "{{ s|nope }}{{ 1 if t else 2 }}",
    "{% for x in a %}{% for y in a %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}",
    "{% break %}",
    "{% continue %}",
    "{% for x in a %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in a %}{% set b %}x{% break %}{% endset %}{% endfor %}ok",
    "{% for x in a|map('string') %}{{ loop.length }}{{ x }}{% endfor %}",
    "{% for item in rows|groupby('age') %}{{ item.grouper }}:{{ item.list|length }} {% endfor %}",
    "{% for grouper, list in rows|groupby('age') %}{{ grouper }}:{{ list|length }} {% endfor %}",
    "{% set g = a|map('string') %}{{ g|join }}{{ g|join }}",
    "{% set g = a|select %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% endfor %}",
    "{% set g = a|map('string') %}{{ 'x' if g else 'y' }}{{ g is iterable }}{{ '1' in g }}{{ g|list }}",
    "{% set y = 1 %}{{ y }}",
    "{% set y, z = 1, 2 %}{{ y }}{{ z }}",
    "{% set y, z = [1, 2] %}{{ y }}{{ z }}",
    "{% set y, z = 1 %}{{ y }}",
    "{% set y, z = 1, 2, 3 %}{{ y }}",
    "{% set (y, z) = (1, 2) %}{{ y }}{{ z }}",
    "{% set y = 1, 2 %}{{ y }}",
    "{% set y %}block {{ i }}{% endset %}{{ y }}{{ y|length }}",
    "{% set y | upper %}block {{ i }}{% endset %}{{ y }}",
    "{% set y | upper | replace('B', 'x') %}block{% endset %}{{ y }}",
    "{% set y %}{% set z = 1 %}{{ z }}{% endset %}{{ y }}{{ z is defined }}",
    "{% set y = 1 if f %}{{ y is defined }}",
    "{% set y = 1 if f else 2 %}{{ y }}",
    "{% set true = 1 %}",
    "{% set y.z = 1 %}",
    "{% set d.z = 1 %}",
    "{% set y = 1 %}{% for x in a %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set y = 0 %}{% for x in a %}{{ y }}{% set y = x %}{{ y }} {% endfor %}",
    "{% for x in a %}{{ y }}{% set y = x %}{{ y }} {% endfor %}",
    "{% if t %}{% set y = 1 %}{% endif %}{{ y }}",
    "{% set ns = namespace(y=0) %}{% for x in a %}{% set ns.y = ns.y + x %}{% endfor %}{{ ns.y }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b = [ns.a] %}{{ ns.b }}{{ ns }}",
    "{% set ns = namespace(y=0) %}{% set ns.y %}block{% endset %}{{ ns.y }}",
    "{% set ns = namespace() %}{% set ns._y = 1 %}",
    "{% set ns = namespace(a=1, b=2) %}{% set ns.a, ns.b = ns.b, ns.a %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace(items=[]) %}{% for x in a %}{% set ns.items = ns.items + [x] %}{% endfor %}{{ ns.items }}",
    "{% set s = s ~ '!' %}{{ s }}",
    "{% set _ = a.append(4) %}",
    "{% set messages = messages[1:] %}{{ messages|length }}{% for m in messages %}{{ m.role }}{% endfor %}",
    "{% with y = 1, z = 2 %}{{ y }}{{ z }}{% endwith %}{{ y is defined }}",
    "{% with %}{% set y = 1 %}{{ y }}{% endwith %}{{ y is defined }}",
    "{% set y = 5 %}{% with y = 1, z = y %}{{ y }}{{ z }}{% endwith %}{{ y }}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}",
    "{% macro m(a, b=2, c='z') %}{{ a }}{{ b }}{{ c }}|{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(c=1, a=2) }}",
    "{% macro m(a) %}{{ a }}{{ a is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, b=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k=4) }}{{ m(1) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m(a, a) %}{% endmacro %}",
    "{% macro m(x) %}{% set y = x %}{{ y }}{{ i }}{% endmacro %}{{ m(1) }}{{ y is defined }}",
    "{% macro m() %}{{ y }}{% endmacro %}{% set y = 1 %}{{ m() }}{% set y = 2 %}{{ m() }}",
    "{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro a1() %}<{{ b1() }}>{% endmacro %}{% macro b1() %}b{% endmacro %}{{ a1() }}",
    "{% macro m() -%}\n  x\n{%- endmacro %}[{{ m() }}]",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.caller }}{{ m }}",
    "{% macro m() %}a{% endmacro %}{{ m()|upper }}{{ m() ~ 'b' }}{{ m()|length }}",
    "{% for x in a %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body {{ i }}{% endcall %}",
    "{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b=3) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m(xs) %}{% for x in xs %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(y) m(a) %}<{{ y }}>{% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
    "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% macro m(caller) %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% call 5 %}x{% endcall %}",
    "{% call range(3) %}x{% endcall %}",
    "{% filter upper %}abc {{ s }}{% endfilter %}",
    "{% filter upper|replace('A', 'x') %}abc{% endfilter %}",
    "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter nope %}abc{% endfilter %}",
    "{% print i %}{% print i, s %}",
    "{% if f %}{{ s|nope }}{% endif %}ok",
    "{% if f %}{{ 5 is nope }}{% endif %}ok",
    "{{ s|nope if f else 'ok' }}",
    "{% for x in [] %}{{ x|nope }}{% endfor %}",
    "{% if f %}{% for x in [] %}{{ x|nope }}{% endfor %}{% endif %}",
    "{% macro m() %}{{ x|nope }}{% endmacro %}ok",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% set x = 1 %}{% do x %}",
    "{% trans %}x{% endtrans %}",
    "{{ i }}{% if raise_exception('no') %}{% endif %}",
    "{% for m in messages %}{% if m.role == 'user' %}{{ raise_exception('User: ' ~ m.content) }}{% endif %}{% endfor %}",
    "{% set j = joiner(', ') %}{% for x in a %}{{ j() }}{{ x }}{% endfor %}",
    "{% set c = cycler('x', 'y') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}",
    "{{ 'a'\n   'b' }}",
    "{{ s | replace(\n  'Hello',\n  'Bye'\n) }}",
    "{%- for m in messages -%}\n  {{- '<|' ~ m.role ~ '|>\\n' -}}\n  {{- m.content | trim -}}\n  {%- if not loop.last -%}{{ '\\n' }}{%- endif -%}\n{%- endfor -%}\n",
    "{%   if    t   %}x{%endif%}{{i}}{{-i-}}",
    "{% if not (i == 1 or i == 7) %}a{% else %}b{% endif %}",
    "{% generation %}x{% endgeneration %}",
    "a{% generation %}{{ i }}{% set q = 1 %}{% endgeneration %}b{{ q is defined }}",
    "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}\n{% endfor %}",
    "{% for x in a %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% set x = 'a' %}{% macro m() %}{% set x = 'b' %}{{ x }}{% endmacro %}{{ m() }}{{ x }}",
    "{% set x = [] %}{% for i in range(3) %}{% set x = x + [i] %}{% endfor %}{{ x }}",
    "{{ ''.join(['a']) }}{{ \"\\n\" }}{{ '\\\\n' }}",
    "{% set s = 'x' %}{% if t %}{% set s = s + 'y' %}{% endif %}{{ s }}",
    "{% for x in a %}{% if loop.first %}{% set k = x %}{% endif %}{{ k }}{% endfor %}",
    "{% for x in range(3) %}{% for y in range(x) %}{{ x }}{{ y }} {% else %}- {% endfor %}{% endfor %}",
    "日本{{ '語' }}\n  {% if t %}\n👩‍👩‍👧{% endif %}",
    "\u00a0{% if t %}x{% endif %}",
    "a\u2028  {% if t %}x{% endif %}",
    "a \u00a0{%- if t -%}\u3000x{% endif %}",
    "{{ [1,2,3]|map('string')|join(',') }}{{ {'k':'v'}['k'] }}{{ ('a','b')|join }}",
    "{% for x in nested recursive %}{{ loop.depth }}{{ loop.depth0 }}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in [1, [2, [3]]] if x recursive %}{{ loop.index }}:{% if x is sequence %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% else %}none{% endfor %}",
    "{% for x in [[], [[]]] recursive %}<{{ loop(x) }}>{% else %}e{% endfor %}",
    "{% for k, v in d.items() if v is mapping or v is number recursive %}{{ k }}{% if v is mapping %}{{ loop(v.items()) }}{% endif %},{% endfor %}",
    "{% set n = namespace(i=0) %}{% for x in nested recursive %}{% set n.i = n.i + 1 %}{% set q = n.i %}{% if x is iterable %}{{ loop(x)|upper }}{% endif %}{{ q }}.{% endfor %}{{ q }}",
    "{% for x in [1, [2, 3]] recursive %}{% for y in [1] %}{{ loop.depth }}{% endfor %}{% if x is iterable %}{{ loop(x) }}{% endif %}{{ loop.length }}{% endfor %}",
    "{% for x in [1, [2, [3, 4]], 5] recursive %}{% if x == 3 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{% if x is iterable %}{{ loop(x) }}{% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in a %}{{ loop(a) }}{% endfor %}",
    "{% for x in a recursive %}{{ loop() }}{% endfor %}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% for x in [[1]] recursive %}{% if x is iterable %}{{ loop(iterable=x) }}{% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in [[1, 2], 3] recursive -%}\n  {%- set inner = loop -%}\n  {%- for y in [0] %}{{ inner(x) if x is iterable else x }}{% endfor %}\n{%- endfor %}",
    "{{ ('word ' * 40)|wordwrap }}",
    "{{ ('word ' * 9)|wordwrap(11) }}",
    "{{ 'a  bb   ccc    dddd     eeeee\n\n  f g\nh'|wordwrap(6) }}",
    "{{ 'internationalization is  longer-than-that'|wordwrap(7) }}|{{ 'internationalization is longer-than-that'|wordwrap(7, false) }}",
    "{{ 'well-known e-mail a-b-c x--y -- and---so -on 12-34 it\\'s--so'|wordwrap(5) }}",
    "{{ 'well-known e-mail a-b-c x--y -- and---so -on 12-34'|wordwrap(5, break_on_hyphens=false) }}",
    "{{ 'a--b c---d !--e'|wordwrap(1) }}|{{ 'ab-cd-ef'|wordwrap(3) }}|{{ '---abc-d'|wordwrap(4) }}|{{ '   lead and trail   '|wordwrap(8) }}|",
    "{{ 'one two three'|wordwrap(5, wrapstring='<br>') }}{{ ''|wordwrap }}{{ u|wordwrap(4) }}",
    "{{ 'a b'|wordwrap(0) }}", "{{ 5|wordwrap }}", "{{ missing|wordwrap }}", "{{ lines|wordwrap(3) }}",
    "{{ {'a': 1, 'b': none, 'c': missing, 'd': '<\"\\'&>'}|xmlattr }}|{{ {}|xmlattr }}|{{ {'x': true, 'y': [1]}|xmlattr(false) }}|{{ {'<': 2}|xmlattr(autospace=true) }}",
    "{{ {'a b': 1}|xmlattr }}", "{{ {'a/b': 1}|xmlattr }}", "{{ {'a=': 1}|xmlattr }}", "{{ {1: 1}|xmlattr }}", "{{ [1]|xmlattr }}", "{{ {'a b': none}|xmlattr }}",
    "{{ d|pprint }}|{{ rows|pprint }}",
    "{{ messages|pprint }}",
    "{{ {'zeta': 'a long text that goes on and on, further than any line of eighty columns can hold it', 'alpha': ['x' * 30, 'y' * 30, ['z' * 30, 'w' * 50]], 'm': {'k': 1}}|pprint }}",
    "{{ ('word ' * 30)|pprint }}|{{ ['word ' * 30]|pprint }}|{{ ('x' * 100)|pprint }}|{{ [('x' * 40, 'y' * 45), ('z' * 90,)]|pprint }}",
    "{{ ('line one\n' * 12)|pprint }}|{{ {'key': 'line one\n' * 12}|pprint }}|{{ (' lead ' * 20)|pprint }}",
    "{{ range(60)|list|pprint }}|{{ quotes|pprint }}|{{ u|pprint }}|{{ none|pprint }}{{ 1.5|pprint }}{{ missing|pprint }}",
    "{{ {'b': 1, 'a': {'d': 1, 'c': 2}}|pprint }}|{{ {2: 1, 10: 2, 1: 3}|pprint }}",
    "{{ '<p>Hello, <b class=\"x\">World</b></p>\n <!-- a <b> c -->  and  more '|striptags }}|{{ 'a < b > c'|striptags }}|{{ 'a < b'|striptags }}|{{ 'x<!-- y'|striptags }}|{{ '<!-->a-->b'|striptags }}",
    "{{ '&lt;b&gt; &amp;amp; &quot;&#39;&apos; &copy &copy; &eacute;&Eacute &nbsp;x &notit &hellip;&mdash;'|striptags }}",
    "{{ '&#65; &#x41;&#X42 &#128; &#x9d; &#0; &#xd800; &#1114112; &#11;| &#13;| &#xfffe;| &#; &#x; &; & &a; &1 &zz'|striptags }}",
    "{{ 5|striptags }}{{ none|striptags }}{{ missing|striptags }}{{ quotes|striptags }}",
    "{{ []|random is undefined }}{{ ''|random is undefined }}{{ [7]|random }}{{ 'x'|random }}{{ missing|random is undefined }}",
    "{{ 'see https://example.org/a?b=c&d, www.example.com. (http://x.io/) and foo.com or foo.de'|urlize }}",
    "{{ 'mail me@example.org, mailto:you@example.org <a@b.co> a@b x@y.z: me@x.org:80'|urlize }}",
    "{{ 'https://example.org/a/very/long/path'|urlize(20) }} {{ 'https://example.org'|urlize(nofollow=true, target='_blank') }} {{ 'https://example.org'|urlize(rel='me nofollow', target='\"') }}",
    "{{ 'http://127.0.0.1:8080/x http://[::1]/ http://[2001:db8::ff]:1/ http://1.2.3 http://1234.1.1.1 http://[:1] http://[1:2:3:4:5:6:7:8] http://[12345::]'|urlize }}",
    "{{ '(see http://en.wikipedia.org/wiki/A_(b)) <http://x.org> (((www.a.bc))) &lt;www.q.de&gt; http://x.org>.'|urlize }}",
    "{{ 'tel:+123 ftp://x.y magnet: tel:'|urlize(extra_schemes=['tel:', 'ftp://']) }}", "{{ 'x'|urlize(extra_schemes=['t:']) }}", "{{ 'x'|urlize(extra_schemes=['tel']) }}",
    "{{ 'HTTP://Example.ORG Www.x.yz https://xn--ab-cd.xn--p1ai/ https://a.b http://localhost/ http://a-b%20.co:123456 http://x.co:1/ http://x.co? http://x.co:#'|urlize }}",
    "{{ 'a\\n  http://x.org\\thttps://y.org\\n'|urlize }}{{ 5|urlize }}{{ missing|urlize }}{{ 'foo.community foo.com.au foo.info/ x.info:80 com .com a.com'|urlize }}",
    "{% filter last %}{% endfilter %}", "{% filter list %}ab{% endfilter %}", "{% filter length %}ab{% endfilter %}",
    "{% filter last %}ab{% endfilter %}{% set k | length %}abc{% endset %}{{ k + 1 }}",
]
