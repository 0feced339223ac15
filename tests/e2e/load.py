"""A client that goes on asking: so many requests a second through whatever happens, each of them kept."""

import collections
import http.client
import itertools
import threading
import time

# `outcome`: the HTTP status, or the exception. `pod`: who answered. `body`: what a POST carried. Times are monotonic seconds.
Answer = collections.namedtuple("Answer", "number method start end outcome pod body")


def ask(host, port, path="/", body=None, seconds=40):
    """One request on a connection of its own: (status, pod)."""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET" if body is None else "POST", path, body, {"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, pod_of(answer, answer.read())
    finally:
        connection.close()


def pod_of(answer, body):
    """The simulated cluster says it in a header, the real one's page in its text."""
    words = body.decode(errors="replace").split()
    return answer.getheader("X-Pod") or (words[1] if words[:1] == ["pod"] else None)


class Load:
    """`with Load("web", 80) as load:` asks until the block ends, then waits for what is under way. Every second request is a
    POST with a body of its own, unless `posts` is false."""

    tags = itertools.count(1)

    def __init__(self, host, port=80, path="/", rate=20, posts=True, seconds=40):
        self.at = (host, port, path)
        self.pause, self.posts, self.seconds = 1 / rate, posts, seconds
        self.tag = f"load-{next(Load.tags)}-{time.time_ns()}"
        self.answers, self.asking, self.over = [], [], threading.Event()
        self.pacer = threading.Thread(target=self.pace)

    def __enter__(self):
        self.pacer.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.pacer.join()
        for thread in self.asking:
            thread.join()

    def pace(self):
        due = time.monotonic()
        for number in itertools.count():
            if self.over.wait(max(0, due - time.monotonic())):
                return
            due += self.pause
            thread = threading.Thread(target=self.one, args=(number,))
            thread.start()
            self.asking.append(thread)

    def one(self, number):
        body = f"{self.tag}-{number};" if self.posts and number % 2 else None
        start, pod = time.monotonic(), None
        try:
            outcome, pod = ask(*self.at, body, self.seconds)
        except (OSError, http.client.HTTPException) as error:
            outcome = error
        self.answers.append(Answer(number, "POST" if body else "GET", start, time.monotonic(), outcome, pod, body))

    # What came of it; to be asked after the block, or for what is known so far.

    def good(self):
        return [a for a in self.answers if a.outcome == 200]

    def failed(self):
        return sorted((a for a in self.answers if a.outcome != 200), key=lambda a: a.start)

    def first_good_after(self, moment):
        """The end of the first request answered after that moment, in seconds from it; None when there is none."""
        ends = [a.end for a in self.good() if a.end >= moment]
        return min(ends) - moment if ends else None

    def none_failed(self):
        failed = self.failed()
        assert not failed, f"{len(failed)} of {len(self.answers)} requests failed: {[tell(a, self.answers) for a in failed[:5]]}"
        assert self.answers, "nothing was asked"

    def listener_stayed(self):
        """No connection was refused: whatever else went wrong, somebody listened."""
        refused = [a for a in self.answers if isinstance(a.outcome, ConnectionRefusedError)]
        assert not refused, f"{len(refused)} of {len(self.answers)} connections were refused"

    def no_post_twice(self, sim):
        """Each body came to at most one pod at most once, and to one where the client was told so."""
        seen = bodies(sim, self.tag)
        twice = {body: count for body, count in seen.items() if count > 1}
        assert not twice, f"sent more than once: {twice}"
        lost = [a.number for a in self.good() if a.body and a.body not in seen]
        assert not lost, f"answered, but never seen by a pod: {lost[:5]}"


def tell(answer, among):
    began = min(a.start for a in among)
    return f"{answer.method} at {answer.start - began:.2f} s, after {answer.end - answer.start:.2f} s: {answer.outcome!r}"


def bodies(sim, tag):
    """How often each body of this load came to any pod."""
    found = collections.Counter()
    for pod in sim.ask("GET", "/counters")["pods"].values():
        found.update(body for body in pod["bodies"] if body.startswith(tag))
    return found
