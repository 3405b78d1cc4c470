#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""initramfs.py KERNEL_FOLDER OUT.cpio: a guest's whole file system: the tools that the tests call, with their
libraries, Python's library, the kernel modules, and of the project what the tests need. A file list for
cpio, in the newc format that kernels unpack."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOOLS = """bash sh awk basename cat chmod cmp cp cut date dd diff dirname env expr false find flock grep head id kill
ln ls mkdir mkfifo mktemp mount mountpoint mv nproc od printf pwd python3 readlink realpath rm rmdir sed seq sha256sum
sleep sort stat sync tail tee test timeout touch tr true truncate umount uname uniq wc xargs yes setsid script ps
ip tc nft ethtool bpftool nsenter ping sysctl modprobe depmod dmesg git busybox"""
MODULES = "veth bridge sch_ingress cls_bpf 8021q ipip ip6_tunnel bonding dummy nf_tables nft_ct nf_conntrack"
PROJECT = """build/gpc build/failpoints/gpc build/other/newer-programs build/other/newer-layout build/tests/bpf
build/tests/e2e tests/e2e tests/bpf tests/kernels tests/semantics tests/oracle examples docs LICENSE"""
PYTHON = pathlib.Path("/usr/lib/python3.11")
LEFT_OUT = ("test", "idlelib", "lib2to3", "ensurepip", "distutils", "pydoc_data", "tkinter", "turtledemo")


def libraries(path):
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+)", listed)) if "statically" not in listed else set()


def tools():
    found = set()
    for name in TOOLS.split():
        path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not path:
            sys.exit(f"initramfs.py: {name} is missing; run: make dependencies")
        found.add(path)
    return found


def tree(folder):
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            yield path


class Root:
    def __init__(self, out):
        self.out = pathlib.Path(out)
        shutil.rmtree(self.out, ignore_errors=True)
        for folder in "usr/bin usr/sbin usr/lib usr/lib64 proc sys dev run tmp etc var/lib root gpc".split():
            (self.out / folder).mkdir(parents=True)
        for link in "bin sbin lib lib64".split():
            (self.out / link).symlink_to("usr/" + link)
        (self.out / "var/run").symlink_to("/run")

    def add(self, source, target=None):
        target = str(target or source)
        if re.match(r"/(bin|sbin|lib|lib64)/", target):
            target = "/usr" + target
        place = self.out / target.lstrip("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)

    def add_program(self, path, target=None):
        self.add(path, target)
        for library in libraries(path):
            self.add(library)


def add_python(root):
    for path in tree(PYTHON):
        inner = path.relative_to(PYTHON)
        if inner.parts[0] not in LEFT_OUT and path.suffix != ".pyc":
            root.add_program(path) if path.suffix == ".so" else root.add(path)


def add_project(root):
    for item in PROJECT.split():
        source = pathlib.Path(item)
        if not source.exists():
            sys.exit(f"initramfs.py: there is no {item}; make check-kernels builds it")
        for path in [source] if source.is_file() else tree(source):
            if path.suffix in (".o", ".d") and not str(path).endswith(".bpf.o"):
                continue
            add = root.add_program if path.parts[0] == "build" and os.access(path, os.X_OK) else root.add
            add(path, "/gpc/" + str(path))


def main(kernel, out):
    root = Root(out + ".root")
    for tool in tools():
        root.add_program(tool)
    for extra in ("/usr/lib/git-core/git",):
        root.add_program(extra)
    add_python(root)
    add_project(root)
    modules = next(pathlib.Path(kernel, "tree/lib/modules").iterdir())
    shutil.copytree(modules, root.out / "usr/lib/modules" / modules.name,
                    ignore=shutil.ignore_patterns("drm", "sound", "infiniband", "scsi", "gpu", "media", "xfs", "btrfs"))
    subprocess.run(["depmod", "-b", root.out, modules.name], check=True)
    shutil.copy2("tests/kernels/init", root.out / "init")
    (root.out / "etc/modules").write_text("\n".join(MODULES.split()) + "\n")
    (root.out / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root.out / "etc/group").write_text("root:x:0:\n")
    with open(out, "wb") as archive:
        names = subprocess.run(["find", ".", "-print0"], cwd=root.out, capture_output=True, check=True).stdout
        subprocess.run(["cpio", "--null", "-o", "-H", "newc", "--quiet"], cwd=root.out, input=names,
                       stdout=archive, check=True)
    shutil.rmtree(root.out)


main(*sys.argv[1:])
