"""Go's templates."""

from __future__ import annotations

import pytest
from wavetank.bench.errors import WorkloadError
from wavetank.bench.templates import Template


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("no action: {a: 1}", "no action: {a: 1}"),
        ("{{.Index}} of {{ .Count }}", "7 of 30"),
        ("{{ AddInt .Index 1 2.6 }}", "10"),
        ("{{ AddInt }}", "0"),
        ("{{ SubtractInt .Index .Count }}", "-23"),
        ("{{ MultiplyInt .Index 2 0.5 }}", "7"),
        ("{{ MultiplyFloat }}", "1"),
        ("{{ DivideInt 30000 .Count }}Mi", "1000Mi"),
        ("{{ DivideInt -7 2 }}", "-3"),
        ("{{ DivideFloat .Index 2 }}", "3.5"),
        ("{{ SubtractFloat 1 0.25 }}", "0.75"),
        ('{{ AddFloat "1.5" `2` }}', "3.5"),
        ("{{ Mod .Index 4 }}", "3"),
        ("{{ Mod -7 4 }}", "-3"),
        ("{{ Mod (AddInt .Index 1) 4 }}", "0"),
        ("{{ .Index | Mod 30 }}", "2"),
        ("{{ 2 | DivideInt .Count | AddInt 1 }}", "16"),
        ("{{ AddInt (MultiplyInt .Index 2) (DivideInt .Count 10) }}", "17"),
        ("a {{- .Index -}} b", "a7b"),
        ("a {{/* nothing */}} b", "a  b"),
        ("{{ 1_000 }}", "1000"),
        # As html/template prints them, which scheduler_perf renders its YAML with.
        ("{{ MultiplyFloat 1e6 1 }}", "1e&#43;06"),
        ("{{ DivideFloat 1 100000 }}", "1e-05"),
        ('{{ "a&b" }}', "a&amp;b"),
    ],
)
def test_actions_come_to_what_go_makes_of_them(text: str, rendered: str) -> None:
    assert Template(text, "x.yaml").render(7, 30) == rendered


def test_a_template_varies_when_it_names_the_index() -> None:
    assert Template("{{ Mod .Index 2 }}", "x").varies
    assert not Template("{{ .Count }} {{/* .Index */}}", "x").varies


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n{{ .Index", "x.yaml:2: unclosed action"),
        ("{{ }}", "missing value for command"),
        ("{{ .Name }}", "there is no .Name: a template knows .Index and .Count"),
        ("{{ Power .Index 2 }}", 'function "Power" not defined: there are AddFloat, AddInt,'),
        ("{{ Mod .Index }}", "wrong number of args for Mod: want 2 got 1"),
        ("{{ if .Index }}a{{ end }}", "if is not supported: only values and functions are"),
        ("{{ (AddInt 1 2 }}", "unclosed left paren"),
        ("{{ .Index 3 }}", "unexpected '3'"),
        ("{{ 1 | 2 }}", "2 is no function: nothing can be piped into it"),
        ("{{ 3x }}", "unexpected '3'"),
        ("{{ $x }}", "unexpected '$'"),
    ],
)
def test_an_action_that_is_none_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        Template(text, "x.yaml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("x.yaml:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n{{ DivideInt .Index 0 }}", "x.yaml:2: error calling DivideInt: division by zero"),
        ("{{ Mod 1 0 }}", "x.yaml:1: error calling Mod: integer divide by zero"),
        ('{{ AddInt "one" }}', "x.yaml:1: cannot cast one to float64"),
    ],
)
def test_a_function_that_cannot_take_its_arguments_says_so(text: str, told: str) -> None:
    template = Template(text, "x.yaml")
    with pytest.raises(WorkloadError) as caught:
        template.render(0, 1)
    assert str(caught.value) == told
