# SPDX-License-Identifier: MIT
# Runs a command (gpc top) on a pseudo-terminal, presses keys, and looks at the screens that it draws:
#   top.py CMD...      one line "ok WHAT" or "FAILED WHAT" a check; ends with 1 when one failed
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

ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"
PATIENCE = 20
failed = 0


def check(what, good, detail=""):
    global failed
    failed += not good
    print(f"{'ok     ' if good else 'FAILED '} {what}{'' if good else ': ' + repr(detail)[-600:]}")


class Screen:
    """The command on a terminal of its own; `said` is all that it wrote."""

    def __init__(self, command, rows=30, columns=100):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ["TERM"] = "xterm"
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            time.sleep(0.2)  # the size is set first
            os.execvp(command[0], command)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.fd)
        self.said = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            self.said += os.read(self.fd, 65536)
        except OSError:
            return False
        return True

    def frames(self, start):
        """The screens drawn from byte `start` on, without paint."""
        return [re.sub(rb"\033\[[0-9?]*[A-Za-z]", b"", frame).decode() for frame in self.said[start:].split(b"\033[H")[1:]]

    def until(self, text, start=0):
        """The first frame from byte `start` on that holds `text` and is whole: another follows, or nothing."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            more = self.read(0.1)
            frames = self.frames(start)
            for frame in frames[:-1] if more else frames:
                if text in frame:
                    return frame
            if len(frames) > 1:
                start = self.said.rfind(b"\033[H")
        return None

    def press(self, keys):
        at = len(self.said)
        os.write(self.fd, keys)
        return at

    def end(self):
        """The exit code; negative: the signal."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05):
                    pass
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def given_back(self):
        return self.said.rstrip().endswith(LEAVE) and termios.tcgetattr(self.fd) == self.before


def drawing(command):
    screen = Screen(command)
    first = screen.until("backend1")
    check("it draws endpoints with rates", first and "packets/s" in first and "web/backend1" in first, screen.said)
    check("on the alternate screen", ENTER in screen.said, screen.said)
    check("in raw mode", termios.tcgetattr(screen.fd) != screen.before)
    check("listeners and reasons, too", first and "http4" in first and "hook: reason" in first, first)
    check("not more lines than there are", first is not None and first.count("\r\n") == 29, first)
    at = screen.press(b"s")
    check("s takes the next column", screen.until("sorted by bytes/s", at) is not None, screen.said)
    at = screen.press(b"sss")
    named = screen.until("sorted by name", at) or ""
    check("by name the endpoints stand in order",
          0 < named.find("web/backend1") < named.find("web/backend2"), named)
    at = screen.press(b" ")
    check("space pauses", screen.until("PAUSED", at) is not None, screen.said)
    at = len(screen.said)
    screen.resize(12, 40)
    small = screen.until("PAUSED", at)
    check("another size draws anew, cut to it",
          small is not None and small.count("\r\n") == 11 and max(map(len, small.split("\r\n"))) <= 40, small)
    at = screen.press(b" ")
    check("space goes on", screen.until("space: pause", at) is not None, screen.said)
    screen.press(b"q")
    check("q ends it", screen.end() == 0)
    check("and the terminal is as it was", screen.given_back(), screen.said[-200:])


def ended_by(command, what, act, code):
    screen = Screen(command)
    drawn = screen.until("gpc top") is not None
    act(screen)
    got = screen.end()
    check(f"{what}: it ends", drawn and got == code, got)
    check(f"{what}: the terminal is as it was", screen.given_back(), screen.said[-200:])


def suspended(command):
    screen = Screen(command)
    screen.until("gpc top")
    screen.press(b"\x1a")
    end = time.monotonic() + PATIENCE
    stopped = False
    while not stopped and time.monotonic() < end:
        screen.read(0.05)
        pid, status = os.waitpid(screen.pid, os.WNOHANG | os.WUNTRACED)
        stopped = pid and os.WIFSTOPPED(status)
    check("Ctrl-Z stops it, and the terminal is as it was", stopped and screen.given_back(), screen.said[-200:])
    at = len(screen.said)
    os.kill(screen.pid, signal.SIGCONT)
    check("it goes on", screen.until("gpc top", at) is not None, screen.said[-200:])
    screen.press(b"q")
    check("and ends with q", screen.end() == 0)


def main(command):
    drawing(command)
    suspended(command)
    ended_by(command, "Ctrl-C", lambda s: s.press(b"\x03"), 0)
    ended_by(command, "SIGTERM", lambda s: os.kill(s.pid, signal.SIGTERM), 0)
    ended_by(command, "SIGHUP", lambda s: os.kill(s.pid, signal.SIGHUP), -signal.SIGHUP)
    ended_by(command, "SIGABRT", lambda s: os.kill(s.pid, signal.SIGABRT), -signal.SIGABRT)


main(sys.argv[1:])
sys.exit(failed != 0)
