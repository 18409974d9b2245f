"""Applies each break of Tests/Mutations to a copy of the sources, builds the simulation, and runs it until it notices."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

COPIED = ["Package.swift", "Sources", "Tests", "tools", "Examples"]
# A simulation that goes on for longer than this has stopped to come to an end: noticed as well.
LONGEST_RUN = 900


def breaks(names):
    """Each break: its name, and the file, the text and what is put in its place."""
    for path in sorted(pathlib.Path("Tests/Mutations").glob("*.mutation")):
        if names and not any(name in path.stem for name in names):
            continue
        found = re.fullmatch(r"# (?P<what>.*)\n(?P<file>\S+)\n<<<<\n(?P<old>.*)\n====\n(?P<new>.*)\n?>>>>\n", path.read_text(), re.S)
        if not found:
            sys.exit(f"{path}: expected '# what', a file, and the texts between <<<<, ==== and >>>>")
        yield path.stem, found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=3000)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("names", nargs="*")
    wanted = arguments.parse_args()
    unnoticed = []
    with tempfile.TemporaryDirectory(prefix="tidemark-mutate.") as directory:
        copy = pathlib.Path(directory)
        for name in COPIED:
            source = pathlib.Path(name)
            shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy / name)
        # Named once, so that every break is found before the first long build.
        chosen = list(breaks(wanted.names))
        for name, found in chosen:
            if (copy / found["file"]).read_text().count(found["old"]) != 1:
                sys.exit(f"Tests/Mutations/{name}.mutation: its text is not once in {found['file']}")
        for name, found in chosen:
            file = copy / found["file"]
            whole = file.read_text()
            file.write_text(whole.replace(found["old"], found["new"]))
            try:
                result = run(copy, wanted)
            finally:
                file.write_text(whole)
            print(f"{name}: {result[1]}  ({found['what']})", flush=True)
            if not result[0]:
                unnoticed.append(name)
    print(f"{len(chosen)} breaks, {len(unnoticed)} not noticed{': ' + ', '.join(unnoticed) if unnoticed else ''}")
    return 1 if unnoticed else 0


def run(copy, wanted):
    build = subprocess.run(["swift", "build", "--product", "simulation"], cwd=copy, capture_output=True, text=True)
    if build.returncode != 0:
        return False, "does not build: " + " ".join(line for line in build.stdout.splitlines() if "error:" in line)[:300]
    start = time.monotonic()
    command = [".build/debug/simulation", "--seeds", str(wanted.seeds), "--threads", str(wanted.threads), "--first"]
    try:
        ended = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired:
        return True, f"noticed: no end within {LONGEST_RUN} s"
    seconds = time.monotonic() - start
    if ended.returncode == 0:
        return False, f"NOT NOTICED in {wanted.seeds} seeds, {seconds:.0f} s"
    if ended.returncode != 1:
        return True, f"noticed after {seconds:.0f} s: ended by signal {-ended.returncode}"
    first = ended.stdout.split("\n  ")
    return True, f"noticed after {seconds:.0f} s, {first[0].strip().rstrip(':')}: {first[1][:120] if len(first) > 1 else ''}"


if __name__ == "__main__":
    sys.exit(main())
