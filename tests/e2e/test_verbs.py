"""Every verb that the program knows, against a daemon that runs, one that does not, and one of long ago; and what the answers look like."""

import collections
import json
import os
import pty
import re
import select
import subprocess
import time

import yaml

from bed import UID, case, run, until

# What is typed behind the verb; the exit codes with a daemon, without one and with an old one; whether -o json and yaml give the same.
# A code of None: not run so (it starts or ends something, which other cases show). `says`: what the answer of a running daemon must hold.
Row = collections.namedtuple("Row", "words running stopped old document says", defaults=(0, 3, 1, True, ""))

ROWS = {
    "add": Row(["web.staging"], says=r"web\.staging"),
    "check": Row(["web.shop"], says=r"tunnel"),
    "cleanup": Row([], running=None, stopped=None, old=None, document=False),
    "completion": Row(["bash"], stopped=0, old=0, document=False, says=r"complete -F _fwd fwd"),
    "contexts": Row([], says=r"in use"),
    "doctor": Row([], running=(0, 1), says=r"RESULT"),
    "env": Row(["db.shop"], says=r"^DATABASE_URL=.postgresql://"),
    "events": Row([], says=r"ServiceAdded"),
    "explain": Row(["crashing.shop"], running=1, says=r"(?i)crash"),
    "find": Row(["web"], says=r"web +shop"),
    "get": Row(["web.shop"], says=r"status +active"),
    "help": Row([], stopped=0, old=0, document=False, says=r"Exit codes: 0 done"),
    "logs": Row(["web.shop"], document=True, says=r"."),
    "ls": Row([], says=r"SERVICE +NAMESPACE"),
    "mcp": Row([], stopped=0, old=0, document=False),
    "reconnect": Row(["web.shop"], says=r"web\.shop reconnects"),
    "rm": Row(["web.staging"], says=r"no longer forwarded"),
    "socket": Row([], old=0, says=r"/run/fwd/12321/api\.sock"),
    "start": Row(["svc"], running=1, stopped=None, old=1, document=False),
    "status": Row([], old=0, says=r"(ok|degraded) "),
    "stop": Row([], running=None, old=0, document=False),
    "svc": Row(["--unprivileged"], running=1, stopped=None, old=None, document=False),
    "token": Row([], stopped=1, old=1, says=r"fwd_"),
    "traffic": Row([], says=r"OUT NOW"),
    "tui": Row([], running=1, stopped=1, old=1, document=False),
    "use": Row(["shop"], says=r"is primary"),
    "version": Row([], stopped=0, old=0, document=False, says=r"^fwd \d"),
    "wait": Row(["web.shop"], says=r"web\.shop is ready"),
}
# Members that differ from one moment to the next.
FLEETING = {"uptime", "timestamp", "lastUpdated", "durationMs", "took", "at", "time", "since", "lastActive", "rateIn", "rateOut", "avgRateIn", "avgRateOut",
            "totalBytesIn", "totalBytesOut", "bytesIn", "bytesOut", "connections", "created", "createdAt", "attempts", "nextRetryAt", "lineCount", "logs",
            "detail", "verified", "entries", "moved", "owner", "lastError", "id", "ready", "notReady"}
NO_SENTENCE = re.compile(r"terminate|std::|exception|Assertion|\bnullopt\b|Traceback")


def settled_part(value):
    if isinstance(value, dict):
        return {k: settled_part(v) for k, v in value.items() if k not in FLEETING}
    if isinstance(value, list):
        return [settled_part(v) for v in value]
    return value


def fits(code, wanted):
    return code in wanted if isinstance(wanted, tuple) else code == wanted


def each_verb(bed, column, judge):
    """Runs every verb that has a code in this column; what judge(verb, out, said) complains of is told for all at once."""
    wrong = []
    for verb, row in ROWS.items():
        if (wanted := getattr(row, column)) is None:
            continue
        code, out, said = bed.fwd(verb, *row.words, seconds=70)
        why = [] if fits(code, wanted) else [f"exit {code}, not {wanted}"]
        why += judge(verb, row, code, out, said) or []
        if NO_SENTENCE.search(out + said):
            why.append("words of a programmer")
        if why:
            wrong.append(f"fwd {' '.join([verb, *row.words])}: {'; '.join(why)}\n{out[:400]}{said[:600]}")
    assert not wrong, "\n".join(wrong)


@case("the table of verbs has each one that the program completes, and the help page shows it")
def every_verb_has_a_row(bed):
    known = bed.fwd("__complete", "")[1].split()
    assert sorted(ROWS) == sorted(known), set(ROWS) ^ set(known)
    page = bed.fwd("help")[1]
    for verb in set(known) - {"help", "version"}:
        assert re.search(rf"^  fwd ([a-z]+  fwd )?{verb}\b", page, re.M), verb


@case("the daemon's flags are the same in fwd --help and fwdd --help")
def same_flags(bed):
    def long_flags(text):
        return set(re.findall(r"--[a-z][a-z-]+", text))
    fwd = bed.fwd("--help")[1]
    ours = long_flags(fwd[fwd.index("Start the daemon"):fwd.index("\n\nSee what is there")])
    theirs = long_flags(bed.fwd("--help", program="fwdd")[1])
    assert ours - {"--tui"} == theirs - {"--help", "--version", "--cleanup", "--verbose"}, ours ^ theirs


@case("each verb does its work while the daemon runs, in every form of answer", seconds=300)
def with_daemon(bed):
    bed.shop()

    def judge(verb, row, code, out, said):
        if not re.search(row.says, out, re.M):
            yield f"without {row.says!r}"
        if "not running" in said:
            yield "says that the daemon does not run"
    each_verb(bed, "running", lambda *a: list(judge(*a)))
    wrong = []
    for verb, row in ROWS.items():
        if not row.document:
            continue
        if verb == "rm":
            bed.fwd("add", *row.words)
        code, text, said = bed.fwd(verb, *row.words, "-o", "json")
        if verb == "rm":
            bed.fwd("add", *row.words)
        again, block, _ = bed.fwd(verb, *row.words, "-o", "yaml")
        try:
            assert fits(code, row.running) and again == code, f"exit {code}, {again}: {said}"
            one, other = json.loads(text), yaml.safe_load(block)
            assert settled_part(one) == settled_part(other), f"{settled_part(one)}\n{settled_part(other)}"
        except (AssertionError, ValueError, yaml.YAMLError) as error:
            wrong.append(f"fwd {verb}: {error}\n{text[:500]}\n{block[:500]}")
    for verb in ("ls", "find web", "contexts", "get web.shop", "traffic", "status", "wait web.shop", "reconnect web.shop"):
        code, out, said = bed.fwd(*verb.split(), "-o", "name")
        if code != 0 or not out or not all(re.fullmatch(r"\S+", line) for line in out.splitlines()):
            wrong.append(f"fwd {verb} -o name: {code} {out!r} {said}")
    narrow, wide = bed.fwd("ls")[1].splitlines(), bed.fwd("ls", "-o", "wide")[1].splitlines()
    if len(narrow) != len(wide) or "OWNER" not in wide[0] or "OWNER" in narrow[0]:
        wrong.append(f"wide: {wide}")
    assert not wrong, "\n".join(wrong)
    code, out, _ = bed.fwd("get", "web.shop", "cart.shop", "-o", "json")
    assert code == 0 and [one["serviceName"] for one in json.loads(out)] == ["web", "cart"]
    assert bed.fwd("stop")[0] == 0


@case("without a daemon each verb says that none runs and what starts one, with exit 3")
def without_daemon(bed):
    def judge(verb, row, code, out, said):
        if code == 3 and not ("the fwd daemon is not running" in said and "fwd start" in said and "sudo -E fwd svc" in said and not out):
            yield "does not say so"
        if code != 0 and not said:
            yield "is silent"
    each_verb(bed, "stopped", lambda *a: list(judge(*a)))


def old_daemon(bed, *arguments):
    folder = "/run/fwd/12321"
    os.makedirs(folder, exist_ok=True)
    os.chown(folder, UID, UID)
    source = bed.write("old_daemon.py", open(os.path.join(os.path.dirname(__file__), "old_daemon.py"), "rb").read())
    child = bed.spawn(["/usr/bin/python3", source, f"{folder}/api.sock", "0.0.9", *arguments], how="user", name="old")
    until(5, "the old daemon listens", lambda: os.path.exists(f"{folder}/api.sock") or bed.must_run(child))
    return child


@case("an older daemon is said to be older, with both versions and what to do, and can be stopped")
def with_old_daemon(bed):
    child = old_daemon(bed)

    def judge(verb, row, code, out, said):
        if code == 1 and verb not in ("token", "start", "tui"):
            for wanted in ("too old", "fwdd 0.0.9", "this is fwd", "try: fwd stop", "try: fwd start"):
                if wanted not in said:
                    yield f"without {wanted!r}"
        if code == 3 or "not running" in said:
            yield "says that none runs"
        if verb == "status" and not ("fwdd 0.0.9" in out and "older than this fwd" in said):
            yield "does not tell the version"
    order = [verb for verb in ROWS if verb != "stop"] + ["stop"]
    rows = {verb: ROWS[verb] for verb in order}
    wrong = []
    for verb, row in rows.items():
        if row.old is None:
            continue
        code, out, said = bed.fwd(verb, *row.words)
        why = [] if fits(code, row.old) else [f"exit {code}, not {row.old}"]
        why += list(judge(verb, row, code, out, said))
        if why:
            wrong.append(f"fwd {verb}: {'; '.join(why)}\n{out[:300]}{said[:500]}")
    assert not wrong, "\n".join(wrong)
    assert child.wait(5) == 0
    old_daemon(bed, "--strange")
    for verb in ("ls", "status", "traffic"):
        code, out, said = bed.fwd(verb)
        assert code == 1 and "too old" in said and "fwdd 0.0.9" in said, (verb, code, out, said)


def on_terminal(bed, *arguments, env=None):
    """What a program writes to a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(bed.home)
        os.setgroups([])
        os.setgid(UID)
        os.setuid(UID)
        os.execve(bed.bin / "fwd", ["fwd", *arguments], bed.environment("user", {"TERM": "xterm-256color", **(env or {})}))
    text, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(terminal)
    os.waitpid(pid, 0)
    return text.decode()


@case("colour is for terminals, unless NO_COLOR is set; --color has the last word; documents never have any")
def colour(bed):
    bed.shop(services=["web.shop"])
    assert "\x1b[3" in on_terminal(bed, "ls")
    for arguments, env in ((["ls"], {"NO_COLOR": "1"}), (["ls"], {"TERM": "dumb"}), (["ls", "--color", "never"], {}), (["ls", "-o", "json"], {})):
        assert "\x1b[3" not in on_terminal(bed, *arguments, env=env), (arguments, env)
    assert "\x1b[3" in on_terminal(bed, "ls", "--color", "always", env={"NO_COLOR": "1"})
    assert "\x1b" not in bed.fwd("ls")[1] + bed.fwd("status")[1]
    assert "\x1b[32m" in bed.fwd("ls", "--color=always")[1]
    assert json.loads(bed.fwd("ls", "--color", "always", "-o", "json")[1])


@case("the variables of fwd env, sourced by a shell, are what psql and redis-cli need", on=("sim", "real"))
def env_sourced(bed):
    daemon = bed.shop()
    for form, load in (("dotenv", "set -a; . ./made.env"), ("shell", ". ./made.env")):
        code, out, said = bed.fwd("env", "db.shop", "cache.shop", "--format", form)
        assert code == 0, said
        bed.write("made.env", out)

        def shell(script):
            # What the placeholders ask for, as a person would have set it.
            asked = {"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres", "POSTGRES_PASSWORD": "any"}
            environment = bed.environment("user", {"PGCONNECT_TIMEOUT": "15", "PGUSER": "postgres", "PGDATABASE": "postgres", **asked})
            return run("sh", "-euc", f"{load}; {script}", cwd=bed.home, env=environment, user=UID, group=UID, extra_groups=[], timeout=40).strip()
        assert shell("""psql "$DATABASE_URL" -Atc 'select 1'""") == "1", out
        assert shell("""psql -h "$DB_HOST" -p "$DB_PORT" -Atc 'select 1'""") == "1", out
        assert shell('redis-cli -u "$REDIS_URL" ping') == "PONG", out
        assert shell('redis-cli -h "$CACHE_HOST" -p "$CACHE_PORT" ping') == "PONG", out
    assert daemon.services()["db.shop"]["status"] == "active"


def completes(bed, shell, *words):
    """What a shell offers for the last of `words`, by the script that the program prints."""
    bed.write("script", bed.fwd("completion", shell)[1])
    line = " ".join(["fwd", *words])
    programs = {
        "bash": f"""compopt() {{ :; }}; source ./script; COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
                    COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _fwd; printf '%s\\n' "${{COMPREPLY[@]}}" """,
        "zsh": f"""compdef() {{ :; }}; compadd() {{ local given=${{@[-1]}}; print -rl -- ${{(P)given}}; }}; _files() {{ print files; }}
                   source ./script; words=({line}{" ''" if line.endswith(" ") else ""}); CURRENT=${{#words}}; _fwd""",
        "fish": f"source ./script; complete -C {line!r}",
    }
    arguments = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[shell]
    path = {"PATH": f"{bed.bin}:/usr/bin:/bin", "TERM": "xterm"}
    said = run(shell, *arguments, programs[shell], cwd=bed.home, env=bed.environment("user", path), user=UID, group=UID, extra_groups=[], timeout=30)
    return [one for one in said.splitlines() if one]


@case("bash, zsh and fish complete contexts, namespaces, services and keys from the daemon")
def completion(bed):
    daemon = bed.shop(services=["web.shop"])
    context = daemon.services()["web.shop"]["context"]
    for shell in ("bash", "zsh", "fish"):
        if not any(os.path.exists(f"{folder}/{shell}") for folder in ("/bin", "/usr/bin")):
            print(f"missing: {shell}")
            continue
        rows = [(["recon"], ["reconnect"]), (["ls", "--status", "pe"], ["pending"]), (["ls", "-n", "stag"], ["staging"]), (["ls", "-x", "sim-n"], ["sim-nobody"]),
                (["get", "we"], ["web"]), (["get", "web.shop."], [f"web.shop.{context}"]), (["add", "staging/we"], ["staging/web"]), (["rm", "sho"], ["shop/"])]
        for words, wanted in rows:
            got = completes(bed, shell, *words)
            assert got == wanted, (shell, words, got)


@case("cmake --install puts programs, manual pages and completions where they are looked for; man shows the pages without a warning")
def installed(bed):
    prefix = bed.dir / "usr"
    run("cmake", "--install", os.environ["BUILD_DIR"], "--prefix", prefix)
    for file in ("bin/fwd", "bin/fwdd", "share/man/man1/fwd.1", "share/man/man8/fwdd.8", "share/bash-completion/completions/fwd",
                 "share/zsh/site-functions/_fwd", "share/fish/vendor_completions.d/fwd.fish"):
        assert (prefix / file).is_file(), file
    for shell, file in (("bash", "bash-completion/completions/fwd"), ("zsh", "zsh/site-functions/_fwd"), ("fish", "fish/vendor_completions.d/fwd.fish")):
        assert (prefix / "share" / file).read_text() == bed.fwd("completion", shell)[1], shell
    for program, section in (("fwd", 1), ("fwdd", 8)):
        page = prefix / f"share/man/man{section}/{program}.{section}"
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, env={**os.environ, "MANWIDTH": "130", "LANG": "C.UTF-8"})
        assert done.returncode == 0 and not done.stderr, done.stderr
        shown = re.sub(r"\s+", " ", re.sub(r".\x08", "", done.stdout)).replace("\u2010", "-").replace("\u2212", "-")
        for line in bed.fwd("--help", program=program)[1].splitlines()[1:]:
            said = re.sub(r"\s+", " ", line).strip().rstrip(":")
            for part in re.split(r" {3,}", line.strip().rstrip(":")):
                assert re.sub(r"\s+", " ", part) in shown, (program, said)


@case("a reader that goes away ends the answer in silence; a full disk is told, with exit 1")
def closed_pipe(bed):
    bed.shop(services=["web.shop"])
    environment = bed.environment("user", {"PATH": f"{bed.bin}:/usr/bin:/bin"})
    done = subprocess.run(["bash", "-c", "fwd ls -o json | head -1; exit ${PIPESTATUS[0]}"], capture_output=True, text=True, env=environment, user=UID, group=UID,
                          extra_groups=[], cwd=bed.home)
    assert done.returncode in (0, 141) and done.stdout == "{\n" and not done.stderr, done
    done = subprocess.run(["bash", "-c", "fwd ls > /dev/full"], capture_output=True, text=True, env=environment, user=UID, group=UID, extra_groups=[], cwd=bed.home)
    assert done.returncode == 1 and "No space left" in done.stderr, done


@case("a full disk or a read-only home costs what would be kept, never the forwards; the verbs work by the socket")
def nothing_can_be_kept(bed):
    bed.simcluster()
    state = bed.home / ".local/state/fwd"
    state.mkdir(parents=True)
    run("chown", "-R", f"{UID}:{UID}", bed.home / ".local")
    run("mount", "-t", "tmpfs", "-o", f"size=64k,uid={UID},mode=700", "tmpfs", state)
    with open(state / "fill", "wb", buffering=0) as file:
        try:
            file.write(b"x" * 70_000)
        except OSError:
            pass  # full is what it is to be
    full = bed.shop(services=["web.shop"])
    assert bed.fwd("ls", "-o", "name")[0] == 0
    assert "kept in memory only" in full.output() and "only its Unix socket can be used" in full.output(), full.output()
    assert bed.fwd("stop")[0] == 0 and full.process.wait(5) == 0
    run("umount", state)
    run("mount", "--bind", bed.home, bed.home)
    run("mount", "-o", "remount,ro,bind", bed.home)
    bed.shop(services=["web.shop"])
    assert bed.fwd("get", "web.shop")[0] == 0
    assert bed.fwd("stop")[0] == 0
    code, out, said = bed.fwd("start", "svc", "-n", "shop", "-c", bed.kubeconfig, how="sudo", seconds=40)
    assert code == 0 and "no log of the daemon is kept" in said and "Read-only" in said, (code, out, said)
    assert bed.fwd("stop")[0] == 0


@case("fwd start of what cannot be forwarded fails with the daemon's words, and leaves none behind")
def start_that_ends(bed):
    bed.simcluster()
    code, out, said = bed.fwd("start", "svc", "-n", "shpo", "-c", bed.kubeconfig, "--unprivileged", seconds=30)
    assert code == 1 and not out and "did you mean shop?" in said, (code, out, said)
    assert bed.fwd("ls")[0] == 3
