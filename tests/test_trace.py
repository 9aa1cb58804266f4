"""Stack traces of every language as frames."""

import timeit
from time import process_time

import pytest

from errorstack_live.trace import MAX_CHARS, frames

TRACES = {
    "python": (
        """Traceback (most recent call last):
  File "/usr/lib/python3.11/threading.py", line 975, in run
    self._target()
  File "/srv/shop/views.py", line 42, in show
    total(cart)
  File "/srv/shop/cart.py", line 7, in total
    raise KeyError(name)
KeyError: 'sku'""",
        [
            ("/srv/shop/cart.py", "total", 7, True),
            ("/srv/shop/views.py", "show", 42, True),
            ("/usr/lib/python3.11/threading.py", "run", 975, False),
        ],
    ),
    "v8": (
        """TypeError: Cannot read properties of undefined (reading 'total')
    at Cart.total (https://shop.example/app.js?v=3:12:34)
    at async Promise.all (index 0)
    at https://shop.example/node_modules/x/y.js:1:2
    at new Shop (file:///srv/shop.mjs:9:1)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)""",
        [
            ("https://shop.example/app.js?v=3", "Cart.total", 12, True),
            ("https://shop.example/node_modules/x/y.js", "", 1, False),
            ("file:///srv/shop.mjs", "new Shop", 9, True),
            ("node:internal/process/task_queues", "process.processTicksAndRejections", 95, False),
        ],
    ),
    "gecko": (
        "total@https://shop.example/app.js:12:34\n@https://shop.example/app.js:99:1\n",
        [
            ("https://shop.example/app.js", "total", 12, True),
            ("https://shop.example/app.js", "", 99, True),
        ],
    ),
    "java": (
        """java.lang.NullPointerException: cart
\tat com.shop.Cart.<init>(Cart.java:12)
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
\tat sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
\t... 12 more""",
        [
            ("Cart.java", "com.shop.Cart.<init>", 12, True),
            ("ArrayList.java", "java.base/java.util.ArrayList.forEach", 1511, False),
            ("", "sun.reflect.NativeMethodAccessorImpl.invoke0", 0, False),
        ],
    ),
    "c#": (
        """   at Shop.Cart.Add(Item item, Int32 count) in C:\\src\\Shop\\Cart.cs:line 12
   at System.Web.UI.Page.ProcessRequest(Boolean a)""",
        [
            (r"C:\src\Shop\Cart.cs", "Shop.Cart.Add(Item item, Int32 count)", 12, True),
            ("", "System.Web.UI.Page.ProcessRequest", 0, False),
        ],
    ),
    "php": (
        "#0 /srv/shop/cart.php(12): Cart->add(Object(Item))\n#1 {main}",
        [("/srv/shop/cart.php", "Cart->add", 12, True)],
    ),
    "ruby, joined": (
        "/srv/shop/cart.rb:12:in `add',/usr/lib/ruby/gems/rack.rb:3:in `call'",
        [
            ("/srv/shop/cart.rb", "add", 12, True),
            ("/usr/lib/ruby/gems/rack.rb", "call", 3, False),
        ],
    ),
    "go": (
        "goroutine 1 [running]:\nmain.add(0x1)\n\t/srv/shop/cart.go:12 +0x1d\n",
        [("/srv/shop/cart.go", "", 12, True)],
    ),
    "none": ("It broke, at once (somewhere)", []),
}


@pytest.mark.parametrize(("trace", "expected"), TRACES.values(), ids=TRACES)
def test_frames_begin_where_it_was_thrown(
    trace: str, expected: list[tuple[str, str, int, bool]]
) -> None:
    found = [(one.file, one.function, one.line, one.is_app) for one in frames(trace)]
    assert found == expected


@pytest.mark.parametrize(
    "line", ["at ", "at a", "at (", "at a (b", "a@", 'File "', "#0 a", "a.b:", "/a.go:", "a:1:in `"]
)
def test_hostile_lines_are_read_in_one_go(line: str) -> None:
    traces = [f"{n}\n" + (line * 500)[:495] for n in range(20)]
    took = min(
        timeit.repeat(
            lambda: [frames(each) for each in traces], timer=process_time, number=1, repeat=3
        )
    )
    assert took < 0.1  # 10,000 characters


def test_what_is_past_the_limit_is_not_read() -> None:
    line = "total@https://shop.example/app.js:12:34\n"
    assert len(frames(line * 10_000)) <= MAX_CHARS // len(line) + 1
    assert frames("at " + "x" * 600 + " (a.js:1:2)") == ()
