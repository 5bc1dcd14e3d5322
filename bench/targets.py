"""What is measured and what stands behind it: processes started, pinned, watched and ended.

A target is a program between the load and the mock upstream. `direct` is the mock itself, with nothing between.
"""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import socket
import subprocess
import time

PROXY_CORE = "0"
LOAD_CORE = "1"
TICK = os.sysconf("SC_CLK_TCK")

NGINX = """
user root;
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_body_buffer_size 256k;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream mock {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""

GATEWAY = """
providers:
  bench: {{ base_url: "http://127.0.0.1:{upstream}/v1", api_key: "bench-key", models: {{ bench: {{}}, bunched: {{}}, paced: {{}}, hold: {{}} }} }}
  bencham: {{ wire: anthropic_messages, base_url: "http://127.0.0.1:{upstream}", api_key: "bench-key", models: {{ benchm: {{}} }} }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, command):
    return ["taskset", "-c", core, *map(str, command)]


class Process:
    """A running program and its children, for as long as the `with` block lasts."""

    def __init__(self, command, core, **options):
        self.started = time.monotonic()
        self.child = subprocess.Popen(pinned(core, command), **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()

    def pids(self):
        """The program and its children: nginx works in a child."""
        mine, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            mine.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += map(int, children.read_text().split())
        return mine

    def cpu_seconds(self):
        """User and system time so far, all threads."""
        return sum(map(self._cpu_ticks, self.pids())) / TICK

    def rss_kib(self):
        return sum(map(self._rss_kib, self.pids()))

    @staticmethod
    def _cpu_ticks(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    @staticmethod
    def _rss_kib(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


class Mock(Process):
    """The upstream of all targets."""

    def __init__(self, binaries):
        super().__init__([binaries / "mock"], LOAD_CORE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline().rsplit(":", 1)[1])


class Target:
    """One way from the load to the mock. `models` says how each kind of answer is asked for here."""

    models = {"bench": "bench", "bunched": "bunched", "paced": "paced", "hold": "hold"}
    token = "none"

    def __init__(self, name, port, process):
        self.name, self.port, self.process = name, port, process


@contextlib.contextmanager
def direct(mock, _directory, _options):
    yield Target("direct", mock.port, None)


@contextlib.contextmanager
def nginx(mock, directory, options):
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(dir=directory, upstream=mock.port, port=port))
    with Process([options.nginx, "-p", directory, "-c", config], PROXY_CORE) as process:
        yield Target("nginx", port, process)


@contextlib.contextmanager
def gateway(mock, directory, options, more_providers=""):
    port = free_port()
    config = directory / "gateway.yaml"
    config.write_text(GATEWAY.format(upstream=mock.port) + more_providers)
    token = secrets.token_hex(24)
    (directory / "data").mkdir(mode=0o700, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LLM_GATEWAY_DATA_DIR": str(directory / "data"),
        "LLM_GATEWAY_AUTH_TOKEN": token,
        "LLM_GATEWAY_WORKERS": "1",
    }
    command = [options.gateway, "serve", "-p", port, "--no-ui", "-c", config]
    with open(directory / "gateway.log", "ab") as log:
        with Process(command, PROXY_CORE, env=environment, stdout=log, stderr=log) as process:
            target = Target("gateway", port, process)
            target.token = token
            target.models = {kind: f"bench/{kind}" for kind in Target.models} | {"translated": "bencham/benchm"}
            yield target


TARGETS = {"direct": direct, "nginx": nginx, "gateway": gateway}


def first_answer(target, patience=10):
    """Seconds from the start of the target's process to its first good answer."""
    begin = target.process.started if target.process else time.monotonic()
    body = json.dumps({"model": target.models["bench"], "messages": [{"role": "user", "content": "Hello"}]})
    headers = {"content-type": "application/json", "authorization": f"Bearer {target.token}"}
    while time.monotonic() < begin + patience:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=patience)
        try:
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{target.name} answered {answer.status}: {text[:500]}")
            return time.monotonic() - begin
        except (ConnectionError, http.client.BadStatusLine):
            time.sleep(0.0005)
        finally:
            connection.close()
    raise SystemExit(f"{target.name} did not answer within {patience} s")
