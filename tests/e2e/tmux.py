"""A terminal that a case looks at: tmux on a socket of its own, in the case's namespaces; and one whose bytes it reads itself."""

import fcntl
import os
import pty
import select
import shlex
import shutil
import struct
import subprocess
import termios
import time

from bed import UID, Skip, until


class Screen:
    """A shell of the bed's user in a terminal of the given size."""

    def __init__(self, bed, width=80, height=24, term="tmux-256color", name="screen", env=None):
        if not shutil.which("tmux"):
            raise Skip("missing: tmux")
        self.bed, self.name = bed, name
        self.socket = f"/run/{name}.sock"
        self.env = bed.environment("root", {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
        extra = " ".join(f"{k}={shlex.quote(str(v))}" for k, v in (env or {}).items())
        shell = f"env -i TERM={term} LANG=C.UTF-8 HOME={bed.home} PATH={bed.bin}:{bed.environment('user')['PATH']} PS1='ready$ ' {extra} sh -i"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", width, "-y", height,
                  f"cd {bed.home}; exec setpriv --reuid={UID} --regid={UID} --clear-groups {shell}")
        self.tmux("set-option", "-g", "status", "off")
        self.resize(width, height)
        self.wait("ready$")

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", self.socket, *map(str, arguments)], capture_output=True, text=True, env=self.env)
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout

    def resize(self, width, height):
        self.tmux("resize-window", "-t", "main", "-x", width, "-y", height)

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "main", *keys)

    def bytes(self, data):
        """As if the terminal itself sent them: a mouse, a paste."""
        self.tmux("send-keys", "-t", "main", "-H", *(f"{b:02x}" for b in data))

    def click(self, x, y, button=0):
        """At column and row from 0: pressed and let go. Buttons 64 and 65 are the wheel."""
        self.bytes(f"\x1b[<{button};{x + 1};{y + 1}M".encode() + (b"" if button >= 64 else f"\x1b[<{button};{x + 1};{y + 1}m".encode()))

    def cursor(self):
        """The row that the interface's cursor is on."""
        return next((line for line in self.text().splitlines() if line.startswith("\u203a")), "")

    def line(self, text):
        self.tmux("send-keys", "-t", "main", "-l", text)
        self.keys("Enter")

    def text(self):
        return self.tmux("capture-pane", "-p", "-t", "main")

    def coloured(self):
        return self.tmux("capture-pane", "-e", "-N", "-p", "-t", "main")

    def wait(self, *words, seconds=10, without=()):
        """The screen, once it shows all of `words` and none of `without`."""
        def look():
            text = self.text()
            missing = [w for w in words if w not in text] + [f"not {w}" for w in without if w in text]
            assert not missing, f"{missing} in\n{text}"
            return text
        return until(seconds, f"the screen shows {words}", look, pause=0.05)

    def press(self, key, *words, **options):
        self.keys(key)
        return self.wait(*words, **options)

    def find(self, text):
        """Filters the services down to `text`, and leaves the cursor there."""
        self.keys("/")
        self.keys("C-u")
        self.line(text)
        self.wait(f"/{text}", "ADDRESS", without=("crashing",))

    def process(self):
        """The pid of `fwd` in the terminal's foreground: a descendant of the shell."""
        pane = self.tmux("display-message", "-p", "-t", "main", "#{pane_pid}").strip()
        todo, found = [int(pane)], None
        while todo:
            pid = todo.pop()
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as file:
                    children = [int(c) for c in file.read().split()]
                name = open(f"/proc/{pid}/comm").read().strip()
            except OSError:
                continue
            if name == "fwd":
                found = pid
            todo += children
        return found

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, env=self.env)


class Pty:
    """`fwd ARGUMENTS` on a pseudo terminal of our own, to see its bytes."""

    def __init__(self, bed, *arguments, width=80, height=24, env=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave, self.got = slave, b""
        environment = bed.environment("user") | {"TERM": "xterm-256color"} | (env or {})
        self.process = subprocess.Popen([str(bed.bin / "fwd"), *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=bed.home, env=environment,
                                        user=UID, group=UID, extra_groups=[], start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def wait(self, wanted, seconds=10):
        """All bytes so far, once they hold `wanted`."""
        end = time.monotonic() + seconds
        while wanted not in self.got:
            assert time.monotonic() < end, f"no {wanted!r} in {self.got[-2000:]!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.got += os.read(self.master, 65536)
        return self.got

    def send(self, data):
        os.write(self.master, data)

    def frames(self, seconds=0.5):
        """What came since the last look, until nothing has come for so long: one piece for each write that was seen apart."""
        pieces = []
        while select.select([self.master], [], [], seconds)[0]:
            pieces.append(os.read(self.master, 65536))
        self.got += b"".join(pieces)
        return pieces

    def end(self, seconds=10):
        """Exit status, after all it wrote was read."""
        until(seconds, "fwd ends", lambda: self.drained() and self.process.poll() is not None)
        self.drained()
        return self.process.returncode

    def drained(self):
        while select.select([self.master], [], [], 0.05)[0]:
            self.got += os.read(self.master, 65536)
        return True

    def settings(self):
        return termios.tcgetattr(self.slave)
