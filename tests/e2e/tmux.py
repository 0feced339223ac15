"""A terminal that a case looks at: tmux on a socket of its own, in the case's namespaces."""

import shlex
import shutil
import subprocess

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
