"""Caches made by huggingface_hub read by Forge, and the other way round, against the fake Hub.

Usage: hub_interop.py --forge PROGRAM. Exits with 77 where huggingface_hub is not installed.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import huggingface_hub
except ImportError:
    print("skipped: no huggingface_hub")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
STORIES = os.path.join(HERE, "..", "..", "models", "forge-stories")
NAME = "org/stories"


def environment(home, url):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING", "FORGE_"))}
    return {**kept, "HF_HOME": home, "HF_ENDPOINT": url, "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}


def python(home, url, code):
    """What the code prints, in a process of its own: the library reads the environment once."""
    return subprocess.run([sys.executable, "-c", code], env=environment(home, url), check=True, timeout=120,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def forge(program, home, url, *arguments):
    return subprocess.run([program, *arguments], env=environment(home, url), check=True, timeout=120,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def layout(home):
    """Every path below the cache's repository, links with their targets; not the locks."""
    found = {}
    top = os.path.join(home, "hub", "models--org--stories")
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.readlink(path) if os.path.islink(path) else "file"
    return {path: kind for path, kind in found.items() if path.split(os.sep)[0] in ("blobs", "refs", "snapshots")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    program = parser.parse_args().forge
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(STORIES, os.path.join(folder, "repos", NAME, "main"))
        server = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "fake_hub.py"), folder],
                                  stderr=subprocess.PIPE, text=True)
        try:
            server.stderr.readline()
            url = server.stderr.readline().split()[-1]
            check(program, url, os.path.join(folder, "forge"), os.path.join(folder, "python"))
        finally:
            server.terminate()
            server.wait()
    print(f"huggingface_hub {huggingface_hub.__version__}: 1 passed, 0 failed")


def check(program, url, of_forge, of_python):
    fetch = ("import huggingface_hub as h\n"
             "names = ['config.json', 'generation_config.json', 'model.safetensors', 'special_tokens_map.json',\n"
             "         'tokenizer.json', 'tokenizer_config.json']\n"
             f"for name in names: path = h.hf_hub_download('{NAME}', name)\n"
             "import os; print(os.path.dirname(path))")
    snapshot = python(of_python, url, fetch)
    pulled = json.loads(forge(program, of_forge, url, "pull", NAME, "--json"))
    assert layout(of_forge) == layout(of_python), (layout(of_forge), layout(of_python))

    # What Python fetched, Forge runs without a network; what Forge fetched, Python finds.
    nowhere = "http://127.0.0.1:1"
    text = forge(program, of_python, nowhere, "generate", "--model", NAME, "--offline", "--prompt", "Once", "--seed",
                 "1", "--max-tokens", "8")
    assert text == forge(program, of_forge, nowhere, "generate", "--model", NAME, "--prompt", "Once", "--seed", "1",
                         "--max-tokens", "8"), text
    rows = json.loads(forge(program, of_python, nowhere, "list", "--json"))
    assert [(row["name"], row["refs"], row["complete"]) for row in rows] == [(NAME, ["main"], True)], rows
    found = python(of_forge, nowhere, f"import huggingface_hub as h; print(h.hf_hub_download('{NAME}', 'config.json',"
                   " local_files_only=True)); print(h.snapshot_download(" f"'{NAME}', local_files_only=True))")
    assert found.split() == [os.path.join(pulled["path"], "config.json"), pulled["path"]], found
    scan = python(of_forge, nowhere, "import huggingface_hub as h; c = h.scan_cache_dir(); r = list(c.repos)[0];"
                  "print(len(c.warnings), r.repo_id, r.size_on_disk, r.nb_files)")
    assert scan == f"0 {NAME} {pulled['bytes']} 6", scan

    # Nothing of what the other one has is fetched again; and Forge removes what Python made.
    again = json.loads(forge(program, of_python, url, "pull", NAME, "--json"))
    assert again["downloaded_bytes"] == 0 and again["path"] == snapshot, again
    forge(program, of_python, url, "rm", NAME, "--yes")
    assert layout(of_python) == {}, layout(of_python)


main()
