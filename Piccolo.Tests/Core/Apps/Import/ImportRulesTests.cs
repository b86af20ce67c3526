using System.Text.Encodings.Web;
using System.Text.Json;
using Piccolo.Core.Apps.Import;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>The table: what one key of a service becomes.</summary>
internal sealed class ImportRulesTests
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [TestCase("command: serve --port 80 'a b'", "command", """["serve","--port","80","a b"]""")]
    [TestCase("command: [sh, -c, \"echo $$HOME\"]", "command", """["sh","-c","echo $HOME"]""")]
    [TestCase("entrypoint: /run.sh", "entrypoint", """["/run.sh"]""")]
    [TestCase("user: 1000:1000", "user", "\"1000:1000\"")]
    [TestCase("working_dir: /app", "working_dir", "\"/app\"")]
    [TestCase("hostname: Notes", "hostname", "\"notes\"")]
    [TestCase("init: yes", "init", "true")]
    [TestCase("stop_signal: 2", "stop.signal", "\"SIGINT\"")]
    [TestCase("stop_grace_period: 1m30s", "stop.grace", "\"90s\"")]
    [TestCase("stop_grace_period: 5h", "stop.grace", "\"600s\"")]
    [TestCase("shm_size: 256m", "resources.shm", "\"256MB\"")]
    [TestCase("mem_limit: 1g", "resources.limits.memory", "\"1GB\"")]
    [TestCase("cpus: 0.5", "resources.limits.cpu", "\"0.5\"")]
    [TestCase("deploy: {resources: {limits: {cpus: '2', memory: 512M}}}", "resources.limits", """{"memory":"512MB","cpu":"2"}""")]
    [TestCase("tmpfs: ['/run:size=16m,exec', /tmp]", "resources.tmpfs", """{"/run":"16MB","/tmp":"64MB"}""")]
    [TestCase("read_only: true", "permissions.filesystem.read_only_root", "true")]
    [TestCase("container_name: my_web", "aliases", """["my_web"]""")]
    [TestCase("networks: {default: {aliases: [www1]}}", "aliases", """["www1"]""")]
    [TestCase("environment: {A: 0777, B: '0777', C: yes, D: true, E: 1.0, F: ~}", "environment", """{"A":"511","B":"0777","C":"yes","D":"true","E":"1"}""")]
    [TestCase("environment: ['A=b=c', 'B=\"x\"', C]", "environment", """{"A":"b=c","B":"\"x\""}""")]
    [TestCase("environment:", "environment", null)]
    [TestCase("healthcheck: {test: curl -f http://localhost:8080 || exit 1, interval: 500ms, timeout: 5s, retries: 200, start_period: 1m}", "healthcheck",
        """{"command":["sh","-c","curl -f http://localhost:8080 || exit 1"],"interval":"1s","timeout":"5s","retries":100,"start_period":"60s"}""")]
    [TestCase("healthcheck: {test: [CMD, ok, now]}", "healthcheck.command", """["ok","now"]""")]
    [TestCase("healthcheck: {test: [NONE]}", "healthcheck.tcp", """{"port":8080}""")]
    [TestCase("healthcheck: {disable: true}", "healthcheck.tcp", """{"port":8080}""")]
    [TestCase("volumes: ['data:/data:ro,z']", "mounts", """{"/data":{"volume":"data","read_only":true}}""")]
    [TestCase("volumes: [/data]", "mounts", """{"/data":{"volume":"data"}}""")]
    [TestCase("volumes: [{type: bind, source: ./conf, target: /conf, read_only: true}]", "mounts", """{"/conf":{"volume":"conf","read_only":true}}""")]
    [TestCase("volumes: [{type: tmpfs, target: /cache, tmpfs: {size: 1000000000}}]", "resources.tmpfs", """{"/cache":"1000000000B"}""")]
    [TestCase("volumes: ['/etc/localtime:/etc/localtime:ro']", "environment", """{"TZ":"${device.time_zone}"}""")]
    [TestCase("environment: {TZ: Etc/UTC}\nvolumes: ['/etc/localtime:/etc/localtime:ro']", "environment", """{"TZ":"Etc/UTC"}""")]
    public void Key_Taken_StandsInTheManifest(string fields, string path, string? expected)
    {
        var result = Composed.Web(fields);
        var node = result.Service();
        foreach (var part in path.Split('.')) node = node?[part];

        Assert.That(node?.ToJsonString(Readable), Is.EqualTo(expected));
        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
    }

    [TestCase("logging: {driver: json-file}", "logging")]
    [TestCase("expose: ['3000']", "expose")]
    [TestCase("platform: linux/amd64", "platform")]
    [TestCase("tty: true", "tty")]
    [TestCase("ulimits: {nofile: 1024}", "ulimits")]
    [TestCase("labels: [a=b]", "labels")]
    [TestCase("extra_hosts: ['host.docker.internal:host-gateway']", "extra_hosts")]
    [TestCase("build: .", "build")]
    [TestCase("deploy: {placement: {}}", "deploy.placement")]
    [TestCase("volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro']", "volumes[0]")]
    [TestCase("volumes: ['/lib/modules:/lib/modules:ro']", "volumes[0]")]
    [TestCase("devices: ['/dev/dri:/dev/dri']", "devices[0]")]
    [TestCase("gpus: all", "gpus")]
    [TestCase("cap_add: [SYS_TIME]", "cap_add[0]")]
    [TestCase("security_opt: ['label:disable']", "security_opt[0]")]
    [TestCase("frobnicate: 1", "frobnicate")]
    [TestCase("x-notes: {a: b}", "x-notes")]
    [TestCase("ports: ['5353:5353/udp']", "ports[0]")]
    public void Key_WithoutEffect_IsDroppedWithTheReason(string fields, string path)
    {
        var line = Composed.Import($"services: {{web: {{image: a, {fields}}}}}").Line($"services.web.{path}");

        Assert.That((line.Verdict, line.Line), Is.EqualTo((ImportVerdict.Dropped, 1)));
        Assert.That(line.Sentence, Does.EndWith("."));
    }

    [TestCase("build: .", "build")]
    [TestCase("image: a\nvolumes: ['/var/run/docker.sock:/var/run/docker.sock']", "volumes[0]")]
    [TestCase("image: a\nvolumes: [{type: bind, source: /run/podman/podman.sock, target: /s}]", "volumes[0]")]
    [TestCase("image: a\nvolumes: ['/:/host:ro']", "volumes[0]")]
    [TestCase("image: a\nvolumes: ['/proc:/host/proc:ro']", "volumes[0]")]
    [TestCase("image: a\nvolumes: ['/etc/passwd:/etc/passwd:ro']", "volumes[0]")]
    [TestCase("image: a\nvolumes: [{type: npipe, source: x, target: /x}]", "volumes[0]")]
    [TestCase("image: a\nvolumes: ['./a:/proc']", "volumes[0]")]
    [TestCase("image: a\npid: host", "pid")]
    [TestCase("image: a\nipc: host", "ipc")]
    [TestCase("image: a\nuserns_mode: host", "userns_mode")]
    [TestCase("image: a\nnetwork_mode: 'container:x'", "network_mode")]
    [TestCase("image: a\nnetwork_mode: 'service:x'", "network_mode")]
    [TestCase("image: a\nuse_api_socket: true", "use_api_socket")]
    [TestCase("image: a\ncap_add: [NET_RAW, SYS_ADMIN]", "cap_add[1]")]
    [TestCase("image: a\ndevices: [/dev/sda]", "devices[0]")]
    [TestCase("image: a\ndevices: [/dev/net/tun]", "devices[0]")]
    [TestCase("image: a\nsysctls: [kernel.shmmax=1]", "sysctls[0]")]
    [TestCase("image: a\ndeploy: {replicas: 3}", "deploy.replicas")]
    [TestCase("image: a\nports: ['51820:51820/udp']", "ports[0]")]
    public void Key_ThatNoAppGets_RefusesTheFile(string fields, string path)
    {
        var result = Composed.Import($"services:\n  web:\n    {fields.Replace("\n", "\n    ", StringComparison.Ordinal)}\n");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Refused));
        Assert.That(result.Refusals.Select(r => r.Path), Does.Contain($"services.web.{path}"));
        Assert.That(result.Line($"services.web.{path}").Line, Is.GreaterThan(2));
    }

    [TestCase("privileged: true", "privileged", "privileged")]
    [TestCase("network_mode: host", "network_mode", "network of the LAN")]
    [TestCase("cap_add: [CAP_NET_ADMIN]", "cap_add[0]", "capability NET_ADMIN")]
    [TestCase("security_opt: ['no-new-privileges:false']", "security_opt[0]", "new privileges")]
    [TestCase("security_opt: ['seccomp=unconfined']", "security_opt[0]", "confinement")]
    public void Key_ThatTheOwnerHasToAllow_IsAGrant(string fields, string path, string name)
    {
        var result = Composed.Web(fields);

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Grant));
        Assert.That(result.Grants.Select(g => (g.Service, g.Name, g.IsConfirmed)), Is.EqualTo(new[] { ("web", name, true) }));
        Assert.That(result.Line($"services.web.{path}").Verdict, Is.EqualTo(ImportVerdict.Asked));
    }

    [Test]
    public void NetworkOfTheHost_BecomesAWayToTheLan() =>
        Assert.That(Composed.Web("network_mode: host").Manifest, Does.Contain("local_network: allow"));

    [Test]
    public void Capability_ThatIsOnlyShown_LeavesTheFilePlain()
    {
        var result = Composed.Web("cap_add: [NET_RAW, CHOWN]\nsecurity_opt: ['no-new-privileges:true']");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
        Assert.That(result.Grants.Select(g => (g.Name, g.IsConfirmed)), Is.EqualTo(new[] { ("capability NET_RAW", false) }));
        Assert.That(result.Line("services.web.cap_add[1]").Verdict, Is.EqualTo(ImportVerdict.Taken));
    }

    [Test]
    public void Unconfined_OfMariaDb_IsDropped()
    {
        var result = Composed.Import("services: {db: {image: 'mariadb:11', security_opt: ['seccomp:unconfined']}}");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
    }
}
