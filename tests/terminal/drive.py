"""Runs a command on a terminal of its own and plays the person in front of it.

usage: drive.py STEPS COMMAND [ARGUMENT ...]

STEPS is a JSON list of ["expect", TEXT], ["send", TEXT], ["wait", SECONDS], ["touch", PATH], ["until", PATH] and
["hangup"]. What the terminal showed goes to standard output. The exit status is 0 when every step was done and the
command has ended.
"""

import json
import os
import pty
import select
import signal
import sys
import time

PATIENCE = 20


class Person:
    def __init__(self, terminal):
        self.terminal = terminal
        self.shown = b""
        self.read_until = 0

    def look(self, seconds):
        """Reads what is shown within the time; False at the end."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return True
        try:
            got = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.shown += got
        return bool(got)

    def until(self, done, what):
        began = time.monotonic()
        while not done():
            if time.monotonic() - began > PATIENCE or not self.look(0.05):
                if not done():
                    raise SystemExit(f"waited in vain for {what}; shown:\n{self.shown.decode(errors='replace')}")

    def expect(self, text):
        wanted = text.encode()
        self.until(lambda: wanted in self.shown[self.read_until:], repr(text))
        self.read_until = self.shown.index(wanted, self.read_until) + len(wanted)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look(max(0.0, end - time.monotonic()))


def main():
    steps, command = json.loads(sys.argv[1]), sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        # What is started in the background may ignore the keys of a terminal, and this is in the foreground of its own.
        for key in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(key, signal.SIG_DFL)
        os.execvp(command[0], command)
    person = Person(terminal)
    try:
        for step, *words in steps:
            if step == "expect":
                person.expect(words[0])
            elif step == "send":
                os.write(terminal, words[0].encode())
            elif step == "wait":
                person.wait(words[0])
            elif step == "touch":
                open(words[0], "w").close()
            elif step == "until":
                person.until(lambda: os.path.exists(words[0]), words[0])
            elif step == "hangup":
                os.close(terminal)
            else:
                raise SystemExit(f"no such step: {step}")
        began, gone = time.monotonic(), 0
        while gone == 0 and time.monotonic() - began < PATIENCE:
            if steps and steps[-1][0] == "hangup":
                time.sleep(0.05)
            else:
                person.look(0.05)
            gone, _ = os.waitpid(child, os.WNOHANG)
        if gone == 0:
            raise SystemExit(f"the command does not end; shown:\n{person.shown.decode(errors='replace')}")
        if steps and steps[-1][0] != "hangup":
            person.wait(0.1)
    except SystemExit:
        os.kill(child, signal.SIGKILL)
        raise
    sys.stdout.buffer.write(person.shown)


main()
