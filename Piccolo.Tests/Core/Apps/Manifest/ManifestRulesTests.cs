using Piccolo.Core.Apps.Manifest;
using static Piccolo.Core.Apps.Manifest.ManifestErrorCodes;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>One wrong thing at a time: exactly one error, at its path, with its code.</summary>
internal sealed class ManifestRulesTests
{
    private const string Short = "name: a\nimage: b:1\nlisteners: [{ name: c, guest_port: 1 }]\n";
    private const string Disk = "storage: { persistent: { data: {} } }\n";

    [TestCase("schema: 1", "schema", NotAvailable)]
    [TestCase("schema: 3", "schema", NotAvailable)]
    [TestCase("schema: two", "schema", WrongShape)]
    [TestCase("command: []", "command", InvalidValue)]
    [TestCase("command: ''", "command", InvalidValue)]
    [TestCase("command: 'a \"b'", "command", InvalidValue)]
    [TestCase("command: { a: b }", "command", WrongShape)]
    [TestCase("command: [a, [b]]", "command[1]", WrongShape)]
    [TestCase("command: [\"a\\u0007\"]", "command", InvalidValue)]
    [TestCase("entrypoint: [\"${app.name}\"]", "entrypoint[0]", InvalidValue)]
    [TestCase("user: 65536", "user", OutOfRange)]
    [TestCase("user: 1000:99999", "user", OutOfRange)]
    [TestCase("user: root root", "user", InvalidValue)]
    [TestCase("user: ':0'", "user", InvalidValue)]
    [TestCase("working_dir: app", "working_dir", InvalidValue)]
    [TestCase("working_dir: /a/../b", "working_dir", InvalidValue)]
    [TestCase("hostname: -a", "hostname", InvalidValue)]
    [TestCase("hostname: a..b", "hostname", InvalidValue)]
    [TestCase("init: yes please", "init", WrongShape)]
    [TestCase("init: \"true\"", "init", WrongShape)]
    [TestCase("aliases: [a b]", "aliases[0]", InvalidValue)]
    [TestCase("aliases: [x, X]", "aliases[1]", Duplicate)]
    [TestCase("aliases: [main]", "aliases[0]", Duplicate)]
    [TestCase("aliases: [host.docker.internal]", "aliases[0]", InvalidValue)]
    [TestCase("aliases: ['2130706433']", "aliases[0]", InvalidValue)]
    [TestCase("aliases: [0x7f.1]", "aliases[0]", InvalidValue)]
    [TestCase("aliases: x", "aliases", WrongShape)]
    [TestCase("mounts: { /data: nothing }", "mounts./data", UnknownReference)]
    [TestCase(Disk + "mounts: { data: data }", "mounts.data", InvalidValue)]
    [TestCase(Disk + "mounts: { /: data }", "mounts./", InvalidValue)]
    [TestCase(Disk + "mounts: { //: data }", "mounts.//", InvalidValue)]
    [TestCase(Disk + "mounts: { /a/./b: data }", "mounts./a/./b", InvalidValue)]
    [TestCase(Disk + "mounts: { /proc/self: data }", "mounts./proc/self", InvalidValue)]
    [TestCase(Disk + "mounts: { /dev: data }", "mounts./dev", InvalidValue)]
    [TestCase(Disk + "mounts: { \"/a:ro\": data }", "mounts./a:ro", InvalidValue)]
    [TestCase(Disk + "mounts: { /a: data, /a/: data }", "mounts./a/", Duplicate)]
    [TestCase(Disk + "mounts: { /a: data, /a: data }", "mounts./a", Duplicate)]
    [TestCase(Disk + "mounts: { /a: { volume: data, sub: x } }", "mounts./a.sub", NotAvailable)]
    [TestCase(Disk + "mounts: { /a: { read_only: true } }", "mounts./a.volume", Required)]
    [TestCase(Disk + "mounts: { /a: { volume: data, folder: x } }", "mounts./a.folder", NotAvailable)]
    [TestCase(Disk + "mounts: { /a: { volume: data, host: /etc } }", "mounts./a.host", UnknownField)]
    [TestCase(Disk + "mounts: { /a: data }\nresources: { tmpfs: { /a: 1MB } }", "resources.tmpfs./a", Duplicate)]
    [TestCase("resources: { tmpfs: { /a: 1KB } }", "resources.tmpfs./a", InvalidValue)]
    [TestCase("resources: { tmpfs: { /a: } }", "resources.tmpfs./a", WrongShape)]
    [TestCase("resources: { tmpfs: { /dev/shm: 1MB } }", "resources.tmpfs./dev/shm", InvalidValue)]
    [TestCase("resources: { shm: 65GB }", "resources.shm", InvalidValue)]
    [TestCase("depends_on: { main: started }", "depends_on.main", Circle)]
    [TestCase("depends_on: { db: started }", "depends_on.db", UnknownReference)]
    [TestCase("depends_on: [db]", "depends_on", WrongShape)]
    [TestCase("run: often", "run", InvalidValue)]
    [TestCase("run: every", "run", NotAvailable)]
    [TestCase("run: once", "listeners[0]", Conflict)]
    [TestCase("healthcheck: none", "healthcheck", InvalidValue)]
    [TestCase("healthcheck: { http: { path: x, port: 1 } }", "healthcheck.http.path", InvalidValue)]
    [TestCase("healthcheck: { http: { path: / } }", "healthcheck.http.port", Required)]
    [TestCase("healthcheck: { tcp: {} }", "healthcheck.tcp.port", Required)]
    [TestCase("healthcheck: { tcp: { port: 0 } }", "healthcheck.tcp.port", OutOfRange)]
    [TestCase("healthcheck: { command: [] }", "healthcheck.command", InvalidValue)]
    [TestCase("healthcheck: { command: [\"${secret.x}\"] }", "healthcheck.command[0]", InvalidValue)]
    [TestCase("healthcheck: { image: false }", "healthcheck.image", InvalidValue)]
    [TestCase("healthcheck: { image: true, tcp: { port: 1 } }", "healthcheck", Conflict)]
    [TestCase("healthcheck: { interval: 0s }", "healthcheck.interval", InvalidValue)]
    [TestCase("healthcheck: { interval: 30 }", "healthcheck.interval", InvalidValue)]
    [TestCase("healthcheck: { interval: 500ms }", "healthcheck.interval", InvalidValue)]
    [TestCase("healthcheck: { timeout: 11m }", "healthcheck.timeout", InvalidValue)]
    [TestCase("healthcheck: { retries: 0 }", "healthcheck.retries", OutOfRange)]
    [TestCase("healthcheck: { start_period: 7h }", "healthcheck.start_period", InvalidValue)]
    [TestCase("healthcheck: { disable: true }", "healthcheck.disable", UnknownField)]
    [TestCase("stop: { grace: 0s }", "stop.grace", InvalidValue)]
    [TestCase("stop: { grace: 601s }", "stop.grace", InvalidValue)]
    [TestCase("stop: { signal: SIGSEGV }", "stop.signal", InvalidValue)]
    [TestCase("stop: { signal: 9 }", "stop.signal", InvalidValue)]
    [TestCase("storage: { persistent: { Data: {} } }", "storage.persistent.Data", InvalidValue)]
    [TestCase("storage: { persistent: { d: { size_limit: 65TB } } }", "storage.persistent.d.size_limit", InvalidValue)]
    [TestCase("storage: { persistent: { d: { kind: DATA } } }", "storage.persistent.d.kind", InvalidValue)]
    [TestCase("storage: { persistent: { d: { container: data } } }", "storage.persistent.d.container", InvalidValue)]
    [TestCase("storage: { persistent: { d: { container: /a }, e: { container: /a } } }", "storage.persistent.e.container", Duplicate)]
    [TestCase("storage: { persistent: { d: { host: /etc } } }", "storage.persistent.d.host", UnknownField)]
    [TestCase("secrets: { s: {} }", "secrets.s.generate", Required)]
    [TestCase("secrets: { s: { generate: random } }", "secrets.s.generate", InvalidValue)]
    [TestCase("secrets: { s: { generate: ed25519 } }", "secrets.s.generate", NotAvailable)]
    [TestCase("secrets: { s: { generate: hex, length: 129 } }", "secrets.s.length", OutOfRange)]
    [TestCase("secrets: { s: { generate: uuid, length: 36 } }", "secrets.s.length", Conflict)]
    [TestCase("secrets: { 9s: { generate: hex } }", "secrets.9s", InvalidValue)]
    [TestCase("secrets: { s: { value: hunter2, generate: hex } }", "secrets.s.value", UnknownField)]
    [TestCase("environment: { A: \"${secret.s}\" }", "environment.A", UnknownReference)]
    [TestCase("environment: { A: \"${secret.other.db}\" }", "environment.A", UnknownReference)]
    [TestCase("environment: { A: \"${secret.}\" }", "environment.A", UnknownReference)]
    [TestCase("environment: { A: \"${listener.d.url}\" }", "environment.A", UnknownReference)]
    [TestCase("environment: { A: \"${listener.c}\" }", "environment.A", InvalidValue)]
    [TestCase("environment: { A: \"${listener.c.path}\" }", "environment.A", InvalidValue)]
    [TestCase("environment: { A: \"${listener.c.lan_port}\" }", "environment.A", NotAvailable)]
    [TestCase("environment: { A: \"${answer.x}\" }", "environment.A", NotAvailable)]
    [TestCase("environment: { A: \"${network.gateway}\" }", "environment.A", NotAvailable)]
    [TestCase("environment: { A: \"${device.lan_address}\" }", "environment.A", NotAvailable)]
    [TestCase("environment: { A: \"${device.serial}\" }", "environment.A", InvalidValue)]
    [TestCase("environment: { A: \"${app.nmae}\" }", "environment.A", InvalidValue)]
    [TestCase("command: [x, \"${secret.s}\"]", "command[1]", UnknownReference)]
    [TestCase("x-piccolo: { backup: cold }", "x-piccolo.backup", UnknownField)]
    [TestCase("files: { /a: { content: x } }", "files", NotAvailable)]
    [TestCase("permissions: { network: { internet: yes } }", "permissions.network.internet", InvalidValue)]
    [TestCase("permissions: { network: { internet: [allow] } }", "permissions.network.internet", WrongShape)]
    [TestCase("permissions: { network: { internet: join } }", "permissions.network.internet", NotAvailable)]
    [TestCase("permissions: { network: { dns: Allow } }", "permissions.network.dns", InvalidValue)]
    [TestCase("permissions: { network: { lan: allow } }", "permissions.network.lan", UnknownField)]
    [TestCase("permissions: { network: { allowed_domains: [example.org] } }", "permissions.network.allowed_domains", NotAvailable)]
    [TestCase("permissions: { network: allow }", "permissions.network", WrongShape)]
    [TestCase("permissions: { new_privileges: true }", "permissions.new_privileges", InvalidValue)]
    [TestCase("permissions: { new_privileges: { allow: true } }", "permissions.new_privileges", WrongShape)]
    [TestCase("permissions: { capabilities: NET_RAW }", "permissions.capabilities", WrongShape)]
    [TestCase("permissions: { capabilities: {} }", "permissions.capabilities", WrongShape)]
    [TestCase("permissions: { capabilities: [[NET_RAW]] }", "permissions.capabilities[0]", WrongShape)]
    [TestCase("permissions: { capabilities: [NET_RAW, NET_RAW] }", "permissions.capabilities[1]", Duplicate)]
    [TestCase("permissions: { capabilities: [SYS_ADMIN] }", "permissions.capabilities[0]", InvalidValue)]
    [TestCase("permissions: { capabilities: [ALL] }", "permissions.capabilities[0]", InvalidValue)]
    [TestCase("permissions: { capabilities: [''] }", "permissions.capabilities[0]", InvalidValue)]
    [TestCase("permissions: { sysctls: { kernel.core_pattern: x } }", "permissions.sysctls.kernel.core_pattern", InvalidValue)]
    [TestCase("permissions: { sysctls: { net/ipv4/ip_forward: 1 } }", "permissions.sysctls.net/ipv4/ip_forward", InvalidValue)]
    [TestCase("permissions: { sysctls: { net...kernel: 1 } }", "permissions.sysctls.net...kernel", InvalidValue)]
    [TestCase("permissions: { sysctls: { net: 1 } }", "permissions.sysctls.net", InvalidValue)]
    [TestCase("permissions: { sysctls: { net.ipv4.ip_forward: [1] } }", "permissions.sysctls.net.ipv4.ip_forward", WrongShape)]
    [TestCase("permissions: { sysctls: { net.ipv4.ip_forward: '' } }", "permissions.sysctls.net.ipv4.ip_forward", InvalidValue)]
    [TestCase("permissions: { sysctls: { net.ipv4.ip_forward: \"1\\n2\" } }", "permissions.sysctls.net.ipv4.ip_forward", InvalidValue)]
    [TestCase("permissions: { sysctls: [net.ipv4.ip_forward] }", "permissions.sysctls", WrongShape)]
    [TestCase("permissions: { network: { local_network: join } }", "permissions.network.local_network", NotAvailable)]
    [TestCase("permissions: { filesystem: { read_only_root: maybe } }", "permissions.filesystem.read_only_root", WrongShape)]
    public void ShortForm_OneWrongThing_IsOneErrorWithPathAndCode(string fields, string path, string code) => AssertOne(Short + fields, path, code);

    [TestCase("web: { image: a }, db: { image: b }", "name: x, service: wbe", "listeners[0].service", UnknownReference)]
    [TestCase("web: { image: a }, db: { image: b }", "name: x", "listeners[0].service", Required)]
    [TestCase("web: { image: a }, db: { image: b, run: once }", "name: x, service: db", "listeners[0].service", Conflict)]
    [TestCase("web: { image: a }, db: {}", "name: x, service: web", "services.db.image", Required)]
    [TestCase("web: { image: a }, db:", "name: x, service: web", "services.db.image", Required)]
    [TestCase("web: { image: a }, db: b", "name: x, service: web", "services.db", WrongShape)]
    [TestCase("web: { image: a, build: . }", "name: x", "services.web.build", NotAvailable)]
    [TestCase("web: { image: a, network_of: vpn }", "name: x", "services.web.network_of", NotAvailable)]
    [TestCase("web: { image: a }, w_b: { image: b }", "name: x, service: web", "services.w_b", InvalidValue)]
    [TestCase("web: { image: a }, localhost: { image: b }", "name: x, service: web", "services.localhost", InvalidValue)]
    [TestCase("web: { image: a }, '10': { image: b }", "name: x, service: web", "services.10", InvalidValue)]
    [TestCase("web: { image: a }, db: { image: b, aliases: [WEB] }", "name: x, service: web", "services.db.aliases[0]", Duplicate)]
    [TestCase("web: { image: a, depends_on: { db: completed } }, db: { image: b }", "name: x, service: web", "services.web.depends_on.db", Conflict)]
    [TestCase("web: { image: a, depends_on: { db: healthy } }, db: { image: b, run: once }", "name: x, service: web", "services.web.depends_on.db", Conflict)]
    [TestCase("web: { image: a, depends_on: { db: ready } }, db: { image: b }", "name: x, service: web", "services.web.depends_on.db", InvalidValue)]
    [TestCase("web: { image: a, depends_on: { bd: started } }, db: { image: b }", "name: x, service: web", "services.web.depends_on.bd", UnknownReference)]
    [TestCase("web: { image: a, type: user }", "name: x", "services.web.type", UnknownField)]
    [TestCase("web: { image: a, permissions: { capabilities: [SYS_TIME] } }", "name: x", "services.web.permissions.capabilities[0]", InvalidValue)]
    [TestCase("web: { image: a, permissions: { network: { internet: on } } }", "name: x", "services.web.permissions.network.internet", InvalidValue)]
    public void Services_OneWrongThing_IsOneErrorWithPathAndCode(string services, string listener, string path, string code) =>
        AssertOne($"name: a\nservices: {{ {services} }}\nlisteners: [{{ {listener}, guest_port: 1 }}]\n", path, code);

    [TestCase("image: b", "services", Conflict)]
    [TestCase("environment: { A: b }", "environment", Conflict)]
    [TestCase("resources: { shm: 1MB }", "resources", Conflict)]
    [TestCase("storage: { persistent: { d: { container: /d } } }", "storage.persistent.d.container", Conflict)]
    public void Services_BesideAFieldOfTheShortForm_IsAConflict(string fields, string path, string code) =>
        AssertOne("name: a\nservices: { web: { image: a } }\nlisteners: [{ name: x, guest_port: 1 }]\n" + fields, path, code);

    [TestCase("{}", "services", OutOfRange)]
    [TestCase("[web]", "services", WrongShape)]
    public void Services_None_IsRefused(string services, string path, string code) =>
        AssertOne($"name: a\nservices: {services}\nlisteners: [{{ name: x, guest_port: 1 }}]\n", path, code);

    [Test]
    public void Services_ThirtyTwo_AreTheMost()
    {
        string Of(int count) => $"name: a\nservices: {{ {string.Join(", ", Enumerable.Range(0, count).Select(i => $"s{i}: {{ image: a:1 }}"))} }}\n"
            + "listeners: [{ name: x, guest_port: 1, service: s0 }]\n";

        Assert.That(AppManifestParser.Parse(Of(32)).Manifest!.Services, Has.Length.EqualTo(32));
        AssertOne(Of(33), "services", OutOfRange);
    }

    [TestCase("a: { b: started }, b: { c: started }, c: { a: started }", "services.a.depends_on", "a → b → c → a")]
    [TestCase("a: { b: started }, b: { c: started }, c: { b: started }", "services.b.depends_on", "b → c → b")]
    [TestCase("a: {}, b: { c: started, a: started }, c: { a: started, b: started }", "services.b.depends_on", "b → c → b")]
    public void DependsOn_Circle_IsNamed(string dependencies, string path, string circle)
    {
        var services = dependencies.Replace(": {", ": { image: i:1, depends_on: {", StringComparison.Ordinal).Replace("}", "} }", StringComparison.Ordinal);

        var errors = AppManifestParser.Parse($"name: a\nservices: {{ {services} }}\nlisteners: [{{ name: x, guest_port: 1, service: a }}]\n").Errors;

        Assert.That(errors.Select(e => (e.Path, e.Code)), Is.EqualTo(new[] { (path, Circle) }), string.Join('\n', errors));
        Assert.That(errors.Single().Message, Does.Contain(circle + "."));
    }

    [Test]
    public void DependsOn_TwoCircles_AreBothNamed()
    {
        var errors = AppManifestParser.Parse("""
            name: a
            services:
              a: { image: i, depends_on: { b: started } }
              b: { image: i, depends_on: { a: started } }
              c: { image: i, depends_on: { d: started, a: started } }
              d: { image: i, depends_on: { c: started } }
            listeners: [{ name: x, guest_port: 1, service: a }]
            """).Errors;

        Assert.That(errors.Select(e => e.Path), Is.EqualTo(new[] { "services.a.depends_on", "services.c.depends_on" }));
    }

    [TestCase("imgae: x", "image")]
    [TestCase("enviroment: { A: b }", "environment")]
    [TestCase("healthCheck: image", "healthcheck")]
    [TestCase("dependsOn: {}", "depends_on")]
    [TestCase("working-dir: /a", "working_dir")]
    [TestCase("mount: {}", "mounts")]
    [TestCase("resources: { limits: { memroy: 1GB } }", "memory")]
    [TestCase("secrets: { s: { generate: hex, lenght: 9 } }", "length")]
    [TestCase("something_else: 1", null)]
    [TestCase("zz: 1", null)]
    public void UnknownField_NearAKnownOne_SuggestsIt(string fields, string? suggestion)
    {
        var error = AppManifestParser.Parse(Short + fields).Errors.Single();

        Assert.That((error.Code, error.Suggestion), Is.EqualTo((UnknownField, suggestion)));
        if (suggestion is not null) Assert.That(error.Message, Does.Contain($"'{suggestion}'"));
    }

    [TestCase("environment: { A: \"${secret.databse}\" }\nsecrets: { database: { generate: hex } }", "database")]
    [TestCase("environment: { A: \"${listener.c.urk}\" }", "url")]
    [TestCase("mounts: { /d: dtaa }\nstorage: { persistent: { data: {} } }", "data")]
    public void UnknownName_NearAKnownOne_SuggestsIt(string fields, string suggestion) =>
        Assert.That(AppManifestParser.Parse(Short + fields).Errors.Single().Suggestion, Is.EqualTo(suggestion));

    [Test]
    public void Error_HasLineAndColumnOfTheField()
    {
        var errors = AppManifestParser.Parse("name: a\nimage: b\nlisteners:\n  - name: c\n    guest_port: 0\n    flow: [x]\n").Errors;

        Assert.That(errors.Select(e => (e.Path, e.Line, e.Column)), Is.EqualTo(new[] { ("listeners[0].guest_port", 5, 5), ("listeners[0].flow", 6, 11) }));
    }

    private static void AssertOne(string text, string path, string code)
    {
        var errors = AppManifestParser.Parse(text).Errors;

        Assert.That(errors.Select(e => (e.Path, e.Code)), Is.EqualTo(new[] { (path, code) }), string.Join('\n', errors));
    }
}
