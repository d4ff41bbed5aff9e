"""Test programs in C++, Java, Go and Rust: verdicts, proof of the end, what upstream texts need."""

from dataclasses import replace

import pytest

from mftbench.contract import Outcome, Problem, Program, Verdict
from mftbench.sandbox.attacks import EVERY_ATTACK, attack_program
from mftbench.sandbox.attacks.languages import LANGUAGES, SUITES
from mftbench.sandbox.runtimes import MissingLanguageError
from mftbench.sandbox.toolchains import TOOLCHAINS, prepare
from mftbench.sandbox.verdict import verdict_of
from mftbench.suites import COMPILED_LIMITS, PROGRAMS, Suite

QUICK = ("right", "wrong", "V4", "V10", "V11", "syntax-error", "R6")


def run(sandbox, language, source, suite):
    problem = Problem("p", "", "", Suite(suite, ("f",)).facts())
    program = PROGRAMS[language](problem, source)
    try:
        return verdict_of(sandbox.run(program, COMPILED_LIMITS).steps[-1])
    except MissingLanguageError as error:
        pytest.skip(str(error))


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    "attack",
    [each for each in LANGUAGES if each.id.startswith(QUICK)],
    ids=lambda attack: attack.id,
)
def test_an_attack_in_another_language_gets_its_verdict(bubblewrap, attack):
    try:
        verdict = verdict_of(bubblewrap.run(attack_program(attack), COMPILED_LIMITS).steps[-1])
    except MissingLanguageError as error:
        pytest.skip(str(error))
    assert verdict.outcome in attack.expected, verdict.reason
    assert verdict.in_process


ADD_CPP = "int add(int x, int y) { return x + y; }\n"


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    ("suite", "outcome"),
    [
        ("int main() { return add(1, 2) == 3 ? 0 : 1; }", Outcome.PASSED),
        ('int main() { if (add(1, 2) != 4) throw runtime_error("no"); }', Outcome.FAILED),
        ("int main() { return 3; }", Outcome.FAILED),
        ("int main() { *(volatile int *)0 = 1; }", Outcome.ERROR),
    ],
)
def test_the_status_of_a_cpp_suite_is_its_verdict(bubblewrap, suite, outcome):
    verdict = run(bubblewrap, "cpp", "using namespace std;\n" + ADD_CPP, suite)
    assert verdict.outcome is outcome, verdict.reason


@pytest.mark.needs_bubblewrap
def test_a_java_suite_may_throw_its_own_exception(bubblewrap):
    suite = (
        "class Main { public static void main(String[] a) throws Exception {"
        ' if (F.f() != 2) throw new java.lang.Exception("test case 0 did not pass"); } }'
    )
    verdict = run(bubblewrap, "java", "class F { static int f() { return 1; } }", suite)
    assert verdict.outcome is Outcome.FAILED
    crash = "class F { static int f() { return 1 / 0; } }"
    assert run(bubblewrap, "java", crash, suite).outcome is Outcome.ERROR


@pytest.mark.needs_bubblewrap
def test_rust_programs_have_the_crates_of_upstream(bubblewrap):
    source = (
        "use md5;\nuse rand::Rng;\nuse regex::Regex;\nfn f() -> bool {\n"
        '    let _: u8 = rand::thread_rng().gen();\n    Regex::new(r"\\s").unwrap().is_match(" ")\n'
        '        && format!("{:x}", md5::compute("a")).len() == 32\n}\n'
    )
    suite = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() { assert!(super::f()); }\n}\n"
    verdict = run(bubblewrap, "rust", source, suite)
    assert verdict.passed, verdict.reason


@pytest.mark.needs_bubblewrap
def test_a_program_that_takes_long_to_compile_is_out_of_time(bubblewrap):
    # 2 ** 26 classes: no limit of the compiler ends it before the time is over.
    source = (
        "template<int N, int M> struct T { enum { v = T<N - 1, 2 * M>::v | T<N - 1, 2 * M + 1>::v }"
        "; };\ntemplate<int M> struct T<0, M> { enum { v = 1 }; };\n"
        "int f() { return T<26, 0>::v; }\n"
    )
    problem = Problem("p", "", "", Suite("int main() {}", ("f",)).facts())
    limits = replace(COMPILED_LIMITS, wall_s=1.5)
    program = replace(PROGRAMS["cpp"](problem, source), limits=limits)
    try:
        verdict = verdict_of(bubblewrap.run(program, limits).steps[-1])
    except MissingLanguageError as error:
        pytest.skip(str(error))
    assert verdict.outcome is Outcome.TIMEOUT, verdict.reason


@pytest.mark.parametrize("language", sorted(SUITES))
def test_nothing_is_no_code(language):
    problem = Problem("p", "", "", Suite("", ("f",)).facts())
    verdict = PROGRAMS[language](problem, " \n")
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.NO_CODE


def test_a_language_that_is_not_installed_is_missing_not_wrong(monkeypatch):
    from mftbench.sandbox import toolchains

    monkeypatch.setattr(toolchains, "toolchain_versions", dict)
    prepare.cache_clear()
    with pytest.raises(MissingLanguageError, match="install rustc cargo"):
        prepare("rust")


def test_every_language_is_attacked_alike():
    for language in (*TOOLCHAINS, "javascript"):
        ids = {each.id for each in EVERY_ATTACK if each.kind == language}
        assert {f"{name}-{language}" for name in ("right", "wrong", "R2-memory")} <= ids


def test_attack_ids_are_unique():
    ids = [attack.id for attack in EVERY_ATTACK]
    assert len(ids) == len(set(ids))


def test_programs_of_attacks_are_programs():
    kinds = {attack.kind: attack for attack in EVERY_ATTACK if attack.kind != "text"}
    assert all(isinstance(attack_program(attack), Program) for attack in kinds.values())
