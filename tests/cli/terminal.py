#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command in a terminal, and says what a user would have seen.

usage: terminal.py [--columns N] [--seconds N] [--when TEXT ACTION]... COMMAND...

Each --when waits, after the one before, until a line on the screen matches the regular expression TEXT, and then
does ACTION: int (Ctrl-C), kill, columns=N (the terminal gets another width), or look (nothing).

Printed are the lines that stood on the screen, in order: "line" for such that stay, "live" for such that were drawn
over (before them once more as "long-line" or "long-live" when they did not fit), and at the end "exit" with the exit code (128 + N: signal N).  It fails with
exit code 1 when one of the texts did not come, or SECONDS (default 300) were over."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


class Screen:
    """One row of a terminal that knows \\r, \\n and the erasing of the rest of a line."""

    def __init__(self, columns):
        self.columns = [columns, columns]  # one that was told of another width may not have seen it yet
        self.row, self.at, self.rest, self.seen = [], 0, "", []

    def say(self, kind):
        text = "".join(self.row).rstrip()
        if len(text) > max(self.columns):
            self.seen.append(("long-" + kind, text))
        if text or kind == "line":
            self.seen.append((kind, text))

    def put(self, data):
        self.rest += data.decode("utf-8", "replace")
        while self.rest:
            token = re.match(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", self.rest)
            if not token:
                break
            self.rest = self.rest[token.end():]
            self.act(token.group())

    def act(self, token):
        if token == "\r":
            self.at = 0
        elif token == "\n":
            self.say("line")
            self.row, self.at = [], 0
        elif token == "\x1b[K":
            if self.at == 0:
                self.say("live")
                self.columns = [self.columns[1], self.columns[1]] if self.settled else self.columns
                self.settled = True
            del self.row[self.at:]
        elif len(token) > 1:
            raise ValueError("an escape sequence that nobody knows: %r" % token)
        else:
            self.row[self.at:self.at + 1] = [token]
            self.at += 1

    settled = True

    def resize(self, columns):
        self.columns = [max(self.columns), columns]
        self.settled = False

    def lines(self):
        return [text for _, text in self.seen] + ["".join(self.row)]


def set_size(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def arguments(words):
    columns, seconds, steps = 80, 300, []
    while words and words[0].startswith("--"):
        if words[0] == "--when":
            steps.append((words[1], words[2]))
            words = words[3:]
            continue
        if words[0] == "--columns":
            columns = int(words[1])
        else:
            seconds = int(words[1])
        words = words[2:]
    return columns, seconds, steps, words


def start(command, columns):
    pid, fd = pty.fork()
    if pid == 0:
        # Not before the terminal has its width.
        os.read(0, 1)
        os.execvp(command[0], command)
    attributes = termios.tcgetattr(fd)
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    set_size(fd, columns)
    os.write(fd, b"\n")
    return pid, fd


def act(action, pid, fd, screen):
    if action == "int":
        os.write(fd, b"\x03")
    elif action == "kill":
        os.kill(pid, signal.SIGKILL)
    elif action.startswith("columns="):
        screen.resize(int(action[8:]))
        set_size(fd, int(action[8:]))


def main():
    columns, seconds, steps, command = arguments(sys.argv[1:])
    screen = Screen(columns)
    pid, fd = start(command, columns)
    end = time.monotonic() + seconds
    from_line = 0
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        screen.put(data)
        while steps:
            lines = screen.lines()
            found = [i for i in range(from_line, len(lines)) if re.search(steps[0][0], lines[i])]
            if not found:
                break
            from_line = found[0] + 1
            act(steps.pop(0)[1], pid, fd, screen)
    else:
        os.kill(pid, signal.SIGKILL)
        print("late: it did not end")
    status = os.waitpid(pid, 0)[1]
    screen.say("line")
    for kind, text in screen.seen:
        print(kind + ": " + text)
    for text, _ in steps:
        print("missing: " + text)
    print("exit: %d" % (os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)))
    return 1 if steps or time.monotonic() >= end else 0


sys.exit(main())
