"""What runs in the cluster: one service of every kind that a forwarder meets. The simulated cluster has the same shop.

`python3 workloads.py` prints it as one list for `kubectl apply -f -`.
"""

import json

from layout import IMAGES

POSTGRES = """p=/usr/lib/postgresql/15/bin
[ -e /data/db/PG_VERSION ] || { $p/initdb -D /data/db -U postgres -A trust -E UTF8 --locale=C >/dev/null; echo 'host all all all trust' >>/data/db/pg_hba.conf; }
exec $p/postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories=/data -c fsync=off -c dynamic_shared_memory_type=mmap"""
NGINX = """daemon off; worker_processes 1; pid /data/nginx.pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path /data/b; proxy_temp_path /data/p; fastcgi_temp_path /data/f; uwsgi_temp_path /data/u; scgi_temp_path /data/s;
  server { listen 8080; location / { default_type text/plain; return 200 "nginx on $hostname\\n"; } }
}"""


def kind(api, name, spec, namespace=None, of=None):
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | ({"labels": {"app": name}} if namespace else {})
    return {"apiVersion": api, "kind": of, "metadata": metadata} | spec


def image_name(image):
    """As build.py named it: the tag is that of its content."""
    return f"localhost/fwd/{image}:{(IMAGES / f'{image}.tag').read_text()}"


def container(name, image, ports, probe="tcp", **more):
    """probe: `tcp` or `http` on the first port, `fails` for a pod that is never ready, None for none."""
    probes = {"tcp": {"tcpSocket": {"port": ports[0][1]}}, "http": {"httpGet": {"path": "/healthz", "port": ports[0][1]}},
              "fails": {"httpGet": {"path": "/status?code=503", "port": ports[0][1]}}}
    described = {"name": name, "image": image_name(image), "imagePullPolicy": "IfNotPresent",
                 "ports": [({"name": n} if n else {}) | {"containerPort": p} for n, p in ports]} | more
    return described | ({"readinessProbe": probes[probe] | {"periodSeconds": 1}} if probe else {})


def own(servers, ports, probe="tcp"):
    return container("main", "workload", ports, probe, args=["serve", *servers.split()])


def postgres():
    return container("postgres", "servers", [("postgres", 5432)], command=["/bin/sh", "-ec", POSTGRES])


def redis():
    return container("redis", "servers", [("redis", 6379)],
                     command=["/usr/bin/redis-server", "--protected-mode", "no", "--save", "", "--dir", "/data"])


def workload(namespace, name, main, replicas=1, app=None, of="Deployment", pod=None):
    labels = {"app": app or name} | ({"variant": name} if app else {})
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [main]} | (pod or {})}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    if of == "StatefulSet":
        spec |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return kind("apps/v1", name, {"spec": spec}, namespace, of)


def service(namespace, name, ports, app=None, **more):
    """ports: (name, port, target) or (name, port, target, protocol). app="" makes one without selector."""
    listed = [({"name": n} if n else {}) | {"port": port, "targetPort": target, "protocol": (rest or ["TCP"])[0]} for n, port, target, *rest in ports]
    spec = ({"ports": listed} if listed else {}) | ({} if app == "" else {"selector": {"app": app or name}}) | more
    return kind("v1", name, {"spec": spec}, namespace, "Service")


AS_SERVER = {"securityContext": {"runAsUser": 70, "runAsGroup": 70}}


def shop():
    n = "shop"
    return [
        workload(n, "web", own("http=8080", [("http", 8080)], "http"), replicas=3),
        service(n, "web", [("http", 80, 8080)]),
        workload(n, "api", own("http=8080 http=9090", [("http", 8080), ("metrics", 9090)], "http"), replicas=2),
        service(n, "api", [("http", 8080, "http"), ("metrics", 9090, "metrics")]),
        workload(n, "cart", own("http=8080", [("http", 8080)], "http")),
        service(n, "cart", [("http", 8080, 8080)]),
        workload(n, "db", postgres(), pod=AS_SERVER),
        service(n, "db", [("postgres", 5432, 5432)]),
        workload(n, "cache", redis(), pod=AS_SERVER),
        service(n, "cache", [("redis", 6379, 6379)]),
        workload(n, "greeter", own("greeter=2525", [("smtp", 2525)])),
        service(n, "greeter", [("smtp", 2525, 2525)]),
        workload(n, "echo", own("echo=7000", [("echo", 7000)])),
        service(n, "echo", [("echo", 7000, 7000)]),
        workload(n, "sink", own("sink=7001", [("sink", 7001)])),
        service(n, "sink", [("sink", 7001, 7001)]),
        workload(n, "source", own("source=7002", [("source", 7002)])),
        service(n, "source", [("source", 7002, 7002)]),
        workload(n, "orders", own("http=8080", [("http", 8080)], "http"), replicas=2, of="StatefulSet"),
        service(n, "orders", [("http", 8080, 8080)], clusterIP="None"),
        workload(n, "mixed-a", own("http=8081", [("web", 8081)], "http"), app="mixed"),
        workload(n, "mixed-b", own("http=8082", [("web", 8082)], "http"), app="mixed"),
        service(n, "mixed", [("web", 80, "web")]),
        workload(n, "never-ready", own("http=8080", [("http", 8080)], "fails")),
        service(n, "never-ready", [("http", 80, 8080)]),
        workload(n, "crashing", container("main", "workload", [("http", 8080)], None, args=["crash"])),
        service(n, "crashing", [("http", 80, 8080)]),
        service(n, "manual", [("http", 80, 80)], app=""),
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "manual-1", "namespace": n, "labels": {"kubernetes.io/service-name": "manual"}},
         "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
         "endpoints": [{"addresses": ["198.51.100.7"], "conditions": {"ready": True}}]},
        service(n, "external", [], app="", type="ExternalName", externalName="example.com"),
        workload(n, "dns-udp", own("http=8053 udp-echo=5353", [("http", 8053)], "http")),
        service(n, "dns-udp", [("dns", 53, 5353, "UDP"), ("http", 8053, 8053)]),
        service(n, "empty", [("http", 80, 8080)], app="no-such-app"),
        workload(n, "idle", own("http=8080", [("http", 8080)], "http"), replicas=0),
        service(n, "idle", [("http", 80, 8080)]),
    ]


def staging():
    n = "staging"
    return [
        workload(n, "web", own("http=8080", [("http", 8080)], "http")),
        service(n, "web", [("http", 80, 8080)]),
        workload(n, "api", own("http=8080", [("http", 8080)], "http")),
        service(n, "api", [("http", 8080, 8080)]),
        workload(n, "db", postgres(), pod=AS_SERVER),
        service(n, "db", [("postgres", 5432, 5432)]),
    ]


def data():
    n = "data"
    nginx = container("nginx", "servers", [("http", 8080)], command=["/usr/sbin/nginx", "-c", "/conf/nginx.conf", "-e", "/dev/stderr"],
                      volumeMounts=[{"name": "conf", "mountPath": "/conf"}])
    return [
        workload(n, "redis", redis(), pod=AS_SERVER),
        service(n, "redis", [("redis", 6379, "redis")]),
        workload(n, "postgres", postgres(), of="StatefulSet", pod=AS_SERVER),
        service(n, "postgres", [("postgres", 5432, "postgres")]),
        kind("v1", "nginx", {"data": {"nginx.conf": NGINX}}, n, "ConfigMap"),
        workload(n, "nginx", nginx, replicas=2, pod=AS_SERVER | {"volumes": [{"name": "conf", "configMap": {"name": "nginx"}}]}),
        service(n, "nginx", [("http", 80, "http")]),
    ]


def access():
    """What forwarding one namespace takes and no more, for the user of the context `real-shop`."""
    look = ["get", "list", "watch"]
    rules = [{"apiGroups": [""], "resources": ["services", "pods"], "verbs": look},
             {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": look},
             {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "create"]}]
    group = "rbac.authorization.k8s.io"
    return [kind(f"{group}/v1", "forwarder", {"rules": rules}, "shop", "Role"),
            kind(f"{group}/v1", "forwarder", {"roleRef": {"apiGroup": group, "kind": "Role", "name": "forwarder"},
                                              "subjects": [{"apiGroup": group, "kind": "User", "name": "fwd-shop"}]}, "shop", "RoleBinding")]


def everything():
    namespaces = [kind("v1", name, {}, of="Namespace") for name in ("shop", "staging", "data")]
    return {"apiVersion": "v1", "kind": "List", "items": namespaces + access() + shop() + staging() + data()}


if __name__ == "__main__":
    print(json.dumps(everything(), indent=1))
